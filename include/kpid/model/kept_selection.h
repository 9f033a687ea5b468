#pragma once
// A selection that is read again and again, as rules and KPIs do.

#include "kpid/base/result.h"
#include "kpid/model/reader.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace kpid::model {

/// One series as a kept selection shows it; valid during the call that shows it.
struct SeriesView {
    const Labels& labels;
    std::span<const Timestamp> times;  ///< Ascending, as in SeriesColumns; never empty.
    std::span<const double> values;
    /// Means the same series for as long as KeptSelection::generation() stays the same; small
    /// numbers.
    std::size_t place = 0;
};

using SeriesViewVisitor = std::function<Result<void>(const SeriesView& series)>;

/// What some matchers select, by Reader::keep(). Gives what Reader::visit() would give at that
/// moment; between its calls it may remember which series those are, and their newest samples, so
/// that another call for a range a little later costs little. Ranges may go anywhere.
///
/// One thread at a time; not longer than its reader.
class KeptSelection {
public:
    virtual ~KeptSelection() = default;
    /// Every series that matches with its samples in the range, if it has some, in no order that
    /// means anything. Errors and options are those of Reader::visit().
    [[nodiscard]] virtual Result<void> visit(TimeRange range, const ReadOptions& options,
                                             const SeriesViewVisitor& take) = 0;
    /// Another one after a visit in which places came to mean other series.
    [[nodiscard]] virtual std::uint64_t generation() const = 0;
};

}  // namespace kpid::model
