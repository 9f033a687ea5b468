#pragma once
// Expressions back to text.

#include "kpid/promql/ast.h"

#include <string>

namespace kpid::promql {

/// The expression as Prometheus prints it: one line, matchers sorted, grouping before the operand.
/// Parsing the answer gives a tree that prints the same.
[[nodiscard]] std::string to_string(const Expr& expr);

/// A string literal as Go quotes it: `"a\nb"`, invalid UTF-8 as \x escapes.
[[nodiscard]] std::string quote_string(std::string_view text);

}  // namespace kpid::promql
