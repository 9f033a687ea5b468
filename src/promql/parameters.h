#pragma once
// Checks on what queries give as parameters: quantiles, label names; and numbers in messages.

#include "promql/evaluator.h"

#include <string>
#include <string_view>

namespace kpid::promql {

/// A number in a message, as Go's %g writes it.
[[nodiscard]] std::string go_number(double value);

/// Warns of a quantile that lies outside 0 to 1 or is NaN.
void warn_of_quantile(Evaluator& evaluator, double q, Position where);
/// The same for the quantile of each step.
void warn_of_quantiles(Evaluator& evaluator, const ScalarColumn& quantiles, Position where);

/// What the values of a parameter are over all steps; both bounds are NaN when any value is.
struct ParameterBounds {
    double smallest = 0;
    double largest = 0;
    bool any_nan = false;
};
[[nodiscard]] ParameterBounds bounds_of(const ScalarColumn& parameter);

/// Whether a text can name a label: any valid UTF-8 that is not empty.
[[nodiscard]] bool is_label_name(std::string_view name);

}  // namespace kpid::promql
