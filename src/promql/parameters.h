#pragma once
// Checks on what queries give as parameters: quantiles, label names; and numbers in messages.

#include "promql/evaluator.h"

#include <string>
#include <string_view>

namespace kpid::promql {

/// A number in a message, as Go's %g writes it.
[[nodiscard]] std::string go_number(double value);

/// Warns when a quantile lies outside 0 to 1 or is NaN: of the largest, the smallest, the NaN.
void warn_of_quantiles(Evaluator& evaluator, const ScalarColumn& quantiles, Position where);

/// Whether a text can name a label: any valid UTF-8 that is not empty.
[[nodiscard]] bool is_label_name(std::string_view name);

}  // namespace kpid::promql
