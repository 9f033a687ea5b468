#pragma once
// Walking an expression: its children and the selectors it reads.

#include "kpid/promql/ast.h"

#include <functional>
#include <vector>

namespace kpid::promql {

/// Calls `visit` for each direct child, in the order of the text: operands, parameter before
/// operand, arguments, the selector of a range. Duration expressions are no children.
void for_each_child(const Expr& expr, const std::function<void(const Expr&)>& visit);

/// Calls `visit` for the expression and everything below it, parents first.
void for_each_node(const Expr& expr, const std::function<void(const Expr&)>& visit);

/// Every vector selector, also those of ranges and subqueries, in the order of the text. Valid as
/// long as the tree lives.
[[nodiscard]] std::vector<const VectorSelector*> collect_selectors(const Expr& expr);

}  // namespace kpid::promql
