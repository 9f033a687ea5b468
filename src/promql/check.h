#pragma once
// The static checks of a parsed expression: types of operands and arguments, and what depends on
// them.

#include "kpid/base/result.h"
#include "kpid/promql/ast.h"

#include <string_view>

namespace kpid::promql {

/// The first thing that is wrong with the tree that `text` was parsed to, in Prometheus' words and
/// order.
[[nodiscard]] Result<void> check_expression(const Expr& expr, std::string_view text);

}  // namespace kpid::promql
