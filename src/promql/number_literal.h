#pragma once
// The numbers of PromQL.

#include "kpid/base/result.h"

#include <string_view>

namespace kpid::promql {

/// Reads a number as PromQL writes it: integers in Go's notation first (`0x1f`, `0b11`, `0o17`,
/// `017` is octal, underscores between digits), else a decimal float, `Inf` or `NaN` in any case.
[[nodiscard]] Result<double> parse_number_literal(std::string_view text);

}  // namespace kpid::promql
