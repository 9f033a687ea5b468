#pragma once
// Where an expression is wrong, for people.

#include <string>
#include <string_view>

namespace kpid::ctl {

/// The message of promql::parse_expr, the line that it names and a caret below the place. Only the
/// message where it names no place of the text. Ends with a line end.
[[nodiscard]] std::string show_expression_error(std::string_view text, std::string_view message);

}  // namespace kpid::ctl
