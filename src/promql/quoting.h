#pragma once
// UTF-8 and the quoting of strings and characters as Go does it, which is what PromQL's strings and
// Prometheus' messages look like.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::promql {

/// What invalid bytes decode to.
inline constexpr char32_t kReplacementCharacter = 0xfffd;

struct DecodedCharacter {
    char32_t character = kReplacementCharacter;
    std::size_t width = 1;
};

/// The character at `position`, which lies within the text. Invalid UTF-8 is the replacement
/// character, one byte wide.
[[nodiscard]] DecodedCharacter decode_character(std::string_view text, std::size_t position);
[[nodiscard]] bool is_valid_utf8(std::string_view text);
void append_character(std::string& out, char32_t character);

/// `'x'`, `'\n'`, `'\''`; nothing at all (the end of the text) is the replacement character.
[[nodiscard]] std::string quote_character(std::optional<char32_t> character);
/// `U+0071 'q'`.
[[nodiscard]] std::string name_character(std::optional<char32_t> character);

/// The value of a string literal in double, single or back quotes; nothing when it is not one. \x
/// and octal escapes are single bytes, so that the value need not be UTF-8.
[[nodiscard]] std::optional<std::string> unquote(std::string_view literal);

}  // namespace kpid::promql
