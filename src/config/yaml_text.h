#pragma once
// What is looked for in YAML text before the library sees it.

#include "config/findings.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::config {

/// Why a text is not handed to the YAML library.
struct TextProblem {
    Position position;
    std::string id;
    std::string message;
};

/// Bytes that are no UTF-8, and control characters (the library takes 0x04 for the end of its
/// input). Nesting needs no look here: the library recurses once a level, and the tree builder ends
/// it at the limit.
[[nodiscard]] std::optional<TextProblem> find_text_problem(std::string_view text);

/// The place of a byte of the text.
[[nodiscard]] Position position_of(std::string_view text, std::size_t offset);
/// The byte at a place; text.size() when the place is behind the end.
[[nodiscard]] std::size_t offset_of(std::string_view text, Position position);
/// A line without its end, counted from 1; empty when there is none.
[[nodiscard]] std::string_view line_at(std::string_view text, int line);

}  // namespace kpid::config
