#pragma once
// The read side of storage: what queries see.

#include "kpid/base/result.h"
#include "kpid/model/matcher.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
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
/// Stale markers are among the values. Events may share an instant: then in order of arrival.
struct SeriesColumns {
    Labels labels;
    std::vector<Timestamp> times;
    std::vector<double> values;
};

/// Which series are read from further back than others, since their values hold for longer.
/// Immutable.
class HistoryRules {
public:
    virtual ~HistoryRules() = default;
    /// How much earlier than the range's start samples of this series are also wanted; at least 0.
    [[nodiscard]] virtual Duration further_back(const Labels& labels) const = 0;
};

struct ReadOptions {
    /// Bounds the answer: beyond it kResourceExhausted.
    std::size_t samples_max = std::numeric_limits<std::size_t>::max();
    /// What was known then: totals have the value that was in force, events are those that had come
    /// in, and of everything else the samples up to this time. Absent: what is known now.
    std::optional<Timestamp> known_at = {};
    const HistoryRules* history = nullptr;  ///< Borrowed for the call.
};

/// Takes one series of an answer. It may take the columns away or leave them; their memory is used
/// for the next one. An error ends the visit.
using SeriesVisitor = std::function<Result<void>(SeriesColumns& series)>;

class KeptSelection;

/// Reads series. Thread-safe; sees everything that was appended before the call began.
class Reader {
public:
    virtual ~Reader() = default;
    /// Every series that all `matchers` match, with its samples in the range, if it has some; in
    /// order of labels.
    [[nodiscard]] virtual Result<std::vector<SeriesColumns>> select(
        std::span<const Matcher> matchers, TimeRange range, const ReadOptions& options) const = 0;
    /// As select(), but one series after the other, in no order that means anything, so that a
    /// large answer need not be held; `samples_max` bounds each. What is appended or deleted
    /// meanwhile may be there or not, of a series all of a deletion or nothing.
    [[nodiscard]] virtual Result<void> visit(std::span<const Matcher> matchers, TimeRange range,
                                             const ReadOptions& options,
                                             const SeriesVisitor& take) const;
    /// For who asks for the same again and again (kept_selection.h). Never null; by default one
    /// that visits anew each time.
    [[nodiscard]] virtual std::unique_ptr<KeptSelection> keep(std::vector<Matcher> matchers) const;
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
