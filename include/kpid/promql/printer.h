#pragma once
// Expressions back to text.

#include "kpid/promql/ast.h"

#include <cstddef>
#include <string>

namespace kpid::promql {

/// The expression as Prometheus prints it: one line, matchers sorted, grouping before the operand.
/// Parsing the answer gives a tree that prints the same.
[[nodiscard]] std::string to_string(const Expr& expr);

/// The same over several lines, as Prometheus formats: what is longer than kPrettyLineBytes is
/// split and indented by two blanks a level. An expression of more than kPrettyBytesMax stays one
/// line: the work grows with length times depth.
inline constexpr std::size_t kPrettyLineBytes = 100;
inline constexpr std::size_t kPrettyBytesMax = std::size_t{64} * 1024;
[[nodiscard]] std::string to_pretty_string(const Expr& expr);

/// A string literal as Go quotes it: `"a\nb"`, invalid UTF-8 as \x escapes.
[[nodiscard]] std::string quote_string(std::string_view text);

}  // namespace kpid::promql
