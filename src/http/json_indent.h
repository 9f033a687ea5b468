#pragma once
// JSON for people.

#include <string>
#include <string_view>

namespace kpid::http {

/// The same JSON with one member or element a line, indented by two blanks; `json` is valid and has
/// no blanks between its tokens.
[[nodiscard]] std::string indent_json(std::string_view json);

}  // namespace kpid::http
