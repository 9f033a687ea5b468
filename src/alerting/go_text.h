#pragma once
// Text as Go's standard library reads and writes it: UTF-8, quoted strings, letter case.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::alerting {

/// The code point at the start of `text` (not empty) and its length in bytes; invalid UTF-8 is
/// U+FFFD, one byte.
struct CodePoint {
    char32_t value = 0xFFFD;
    std::size_t length = 1;
    bool valid = false;
};
[[nodiscard]] CodePoint decode_utf8(std::string_view text);
void append_utf8(std::string& out, char32_t code_point);
[[nodiscard]] std::size_t count_code_points(std::string_view text);

/// Unicode's White_Space.
[[nodiscard]] bool is_space(char32_t code_point);
/// Simple case of Latin, Greek and Cyrillic letters; others stay as they are.
[[nodiscard]] char32_t to_upper(char32_t code_point);
[[nodiscard]] char32_t to_lower(char32_t code_point);
[[nodiscard]] bool is_letter(char32_t code_point);

/// The text between double quotes, escaped as strconv.Quote does.
[[nodiscard]] std::string go_quote(std::string_view text);
/// Reads what go_quote wrote, and every other Go string literal: "…", `…`. Nothing when it is
/// malformed. The bytes that `\x` escapes make need not be UTF-8.
[[nodiscard]] std::optional<std::string> go_unquote(std::string_view literal);

}  // namespace kpid::alerting
