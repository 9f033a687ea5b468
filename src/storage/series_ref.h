#pragma once
// How the series index names series and labels.

#include "kpid/base/strong.h"
#include "kpid/model/labels.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// A series as an index into tables: dense, small, of this process only. Beside it stands the
/// durable SeriesId. A number is used again after its series was removed and released.
using SeriesRef = Strong<struct SeriesRefTag, std::uint32_t>;

/// Numbers beyond it are not given out: two of them and a mark fit 64 bits.
inline constexpr std::uint32_t kSeriesRefMax = 0x7ffffffe;

using model::LabelView;

/// The labels of a set, borrowed from it.
[[nodiscard]] std::vector<LabelView> views_of(const model::Labels& labels);
/// "" when there is none.
[[nodiscard]] std::string_view metric_name_of(std::span<const LabelView> labels);

/// What model::Labels::hash() gives for the same set: `labels` are sorted by name, names unique,
/// values not empty.
[[nodiscard]] std::uint64_t hash_labels(std::span<const LabelView> labels);

/// What a heap block of that many bytes takes with the allocator's own part, about.
[[nodiscard]] constexpr std::size_t heap_bytes_of(std::size_t bytes) {
    return bytes == 0 ? 0 : (bytes + 8 + 15) / 16 * 16;
}

}  // namespace kpid::storage
