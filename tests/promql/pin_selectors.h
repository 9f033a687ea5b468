#pragma once
// `@` glued to every selector of an expression: what it gives then no longer depends on when it is
// evaluated.

#include "kpid/promql/ast.h"

#include <string>

namespace kpid::promql::testing {

/// The expression, printed, with `@ time` behind every selector and subquery that has no `@` with a
/// number yet. What is inside a pinned subquery stays as it is.
[[nodiscard]] std::string pin_selectors(const Expr& expr, Timestamp time);

}  // namespace kpid::promql::testing
