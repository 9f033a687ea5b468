#pragma once
// One append, checked as far as that needs no order, and its outcome.

#include "kpid/model/appender.h"
#include "storage/sample_rules.h"
#include "storage/series_index.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kpid::storage {

/// Made on the caller's thread, judged by the committer. Borrows the append batch.
struct PreparedBatch {
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    /// A sample that goes on to be judged.
    struct Place {
        MemorySeries* series = nullptr;  ///< Null when it was unknown.
        Timestamp time;
        double value = 0;
        std::uint32_t index = 0;        ///< In the batch, as samples count.
        std::uint32_t raw = kNone;      ///< Which of the raw series it is of.
        std::uint32_t unknown = kNone;  ///< Into `unknown` when `series` is null.
    };
    /// The labels of a series that was unknown.
    struct Unknown {
        std::size_t begin = 0;  ///< Of its labels in `labels`.
        std::size_t count = 0;
        std::uint64_t hash = 0;
        std::optional<std::uint64_t> raw_hash;  ///< Of its label bytes.
    };
    /// A known series that came with bytes which were not.
    struct NewAlias {
        MemorySeries* series = nullptr;
        std::uint64_t raw_hash = 0;
    };

    const model::AppendBatch* batch = nullptr;
    std::span<const model::StateWrite> state;
    std::optional<SeriesIndex::Pin> pin;  ///< Keeps the series in their places.
    std::vector<Place> places;            ///< For each series in order of time, then index.
    std::vector<Unknown> unknown;
    std::vector<model::LabelView> labels;
    std::vector<NewAlias> aliases;
    model::AppendResult result;
    std::uint64_t repeated = 0;
    bool refused = false;  ///< All of it, since a part was.

    /// After the commit, with the pin still held.
    void fill_in_handles() const;
    [[nodiscard]] std::span<const model::LabelView> labels_of(const Unknown& series) const {
        return std::span(labels).subspan(series.begin, series.count);
    }
    /// For messages.
    [[nodiscard]] model::Labels labels_of(const Place& place, const SeriesIndex& index) const;
    void reject(std::size_t index, Refusal refusal) {
        result.rejected.push_back({index, refusal.reason, std::move(refusal.message)});
    }
};

/// Finds the series, and refuses what the rules refuse, and what is older than `floor`: that is not
/// kept any more.
[[nodiscard]] PreparedBatch prepare(const model::AppendBatch& batch, const SeriesIndex& index,
                                    const SampleRules& rules, Timestamp floor);

}  // namespace kpid::storage
