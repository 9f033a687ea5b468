#pragma once
// A function of range vectors along one series: its windows move with two cursors.

#include "promql/evaluator.h"
#include "promql/sliding_window.h"
#include "promql/window_functions.h"

#include <vector>

namespace kpid::promql {

/// What a function makes of a window, and of the row as a whole.
struct RangeFunction {
    WindowFunction function = nullptr;
    bool keeps_name = false;  ///< The value is one of the series' own.
    bool of_counter = false;
};

/// The arguments of a call: where the windows of its range vector lie, and scalars.
struct RangeArguments {
    RangeInput frame;
    const MatrixSelector* matrix = nullptr;  ///< Else the frame has the series.
    std::vector<ScalarColumn> scalars;
    Position range_place;
    std::vector<Position> scalar_places;
};

/// Fills rows, each from one series. Const: any number of threads may. Borrows its arguments.
class WindowWalk {
public:
    WindowWalk(const Evaluator& evaluator, const RangeArguments& arguments,
               const RangeFunction& function, const Steps& steps)
        : evaluator_(evaluator),
          arguments_(arguments),
          function_(function),
          steps_(steps),
          sliding_(sliding_kind(function.function)) {}

    /// Replaces what the row had; it has no values where no window has samples. After a stop it is
    /// cut short; whoever uses it asks before.
    void fill(const RangeView& series, Row& row) const;

private:
    [[nodiscard]] bool windows_overlap(const RangeView& series) const;
    [[nodiscard]] bool fill_sliding(const RangeView& series, Row& row) const;
    void fill_each(const RangeView& series, Row& row) const;

    const Evaluator& evaluator_;
    const RangeArguments& arguments_;
    const RangeFunction& function_;
    const Steps& steps_;
    const SlidingKind sliding_;
};

}  // namespace kpid::promql
