#pragma once
// The body of POST /api/v1/push: samples as JSON.

#include "kpid/base/result.h"
#include "kpid/model/sample.h"

#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

struct PushLimits {
    static constexpr std::size_t kItemsMax = 200'000;
    static constexpr std::size_t kLabelsMax = 128;
    /// Objects and arrays in each other; a correct body needs three.
    static constexpr std::size_t kDepthMax = 16;
};

/// Why one item was refused.
struct PushItemError {
    std::size_t index = 0;
    std::string error;
    bool operator==(const PushItemError&) const = default;
};

struct PushBody {
    std::vector<model::SeriesSample> samples;
    std::vector<std::size_t> indexes;   ///< indexes[i] is the item that samples[i] came from.
    std::vector<PushItemError> errors;  ///< In order of index.
    std::size_t item_count = 0;         ///< 1 for a single object.
};

/// Reads one object or an array of them:
///
///     {"metric": "orders_total", "labels": {"shop": "a"}, "value": 12.5, "timestamp":
///     "2026-07-01T12:00:00Z"}
///
/// `value` is a number or "NaN", "+Inf", "-Inf"; `timestamp` RFC 3339 or Unix seconds, absent is
/// `now`. Unknown and repeated keys, a label `__name__` and empty names refuse the item; JSON that
/// cannot be read refuses the whole body (kInvalidArgument, with the byte offset), as does anything
/// but an object or array.
[[nodiscard]] Result<PushBody> decode_push_json(std::string_view body, Timestamp now);

}  // namespace kpid::wire
