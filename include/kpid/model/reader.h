#pragma once
// The read side of storage: what queries see.

#include "kpid/base/result.h"
#include "kpid/model/matcher.h"
#include "kpid/model/sample.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::model {

/// Both ends included.
struct TimeRange {
    Timestamp start = Timestamp::min();
    Timestamp end = Timestamp::max();
};

/// The samples of one series in a range, as columns: times ascending, values[i] at times[i].
/// Stale markers are among the values.
struct SeriesColumns {
    Labels labels;
    std::vector<Timestamp> times;
    std::vector<double> values;
};

/// Reads series. Thread-safe; sees everything that was appended before the call began.
class Reader {
public:
    virtual ~Reader() = default;
    /// Every series that all `matchers` match, with its samples in the range, if it has some; in
    /// order of labels. `samples_max` bounds the answer: beyond it kResourceExhausted.
    [[nodiscard]] virtual Result<std::vector<SeriesColumns>> select(
        std::span<const Matcher> matchers, TimeRange range, std::size_t samples_max) const = 0;
    /// The label sets of series that have samples in the range (to the store's precision), sorted.
    [[nodiscard]] virtual Result<std::vector<Labels>> series(std::span<const Matcher> matchers,
                                                             TimeRange range) const = 0;
    /// Names of labels / values of one over such series, sorted, unique. No matchers: all series.
    [[nodiscard]] virtual Result<std::vector<std::string>> label_names(
        std::span<const Matcher> matchers, TimeRange range) const = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const Matcher> matchers, TimeRange range) const = 0;
};

}  // namespace kpid::model
