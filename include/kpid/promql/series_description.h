#pragma once
// A series as test scripts write it.

#include "kpid/model/labels.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kpid::promql {

/// How many values one description may expand to.
inline constexpr std::size_t kSeriesValuesMax = 1'000'000;

/// A native histogram as written: `{{schema:1 sum:3 count:22 buckets:[5 10 7]}}`; absent keys are
/// zero.
struct HistogramLiteral {
    enum class CounterResetHint { kUnknown, kReset, kNotReset, kGauge };

    double sum = 0;
    double count = 0;
    std::int64_t schema = 0;
    double zero_count = 0;
    double zero_threshold = 0;
    std::int64_t offset = 0;
    std::int64_t negative_offset = 0;
    std::vector<double> buckets;
    std::vector<double> negative_buckets;
    std::vector<double> custom_values;
    std::optional<CounterResetHint> counter_reset_hint;
};

/// A histogram of a sequence: base + increments * increment (minus when `subtract`).
struct HistogramValue {
    std::shared_ptr<const HistogramLiteral> base;
    std::shared_ptr<const HistogramLiteral> increment;  ///< Null when there is none.
    std::uint64_t increments = 0;
    bool subtract = false;
};

/// One step of a series: nothing (`_`), a float (perhaps the stale marker) or a histogram.
struct SequenceValue {
    bool omitted = false;
    double value = 0;
    std::optional<HistogramValue> histogram;
};

struct SeriesDescription {
    model::Labels labels;
    std::vector<SequenceValue> values;  ///< Expanded: one entry for each step.
};

}  // namespace kpid::promql
