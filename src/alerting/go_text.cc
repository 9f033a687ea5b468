// UTF-8, Go's quoted strings, letter case.

#include "alerting/go_text.h"

#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace kpid::alerting {
namespace {

bool is_printable(char32_t c) {
    if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) {
        return false;
    }
    const bool invisible = (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
                           (c >= 0x205F && c <= 0x206F) || c == 0x3000 || c == 0xFEFF ||
                           (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFFF0 && c <= 0xFFFB);
    return !invisible;
}

// The letter that stands for a control character behind a backslash, or 0.
char short_escape(char32_t c) {
    constexpr std::string_view kLetters = "abtnvfr";  // U+0007 to U+000D
    return c >= 7 && c <= 13 ? kLetters[c - 7] : '\0';
}

std::optional<char32_t> read_digits(std::string_view& rest, std::size_t count, int base) {
    if (rest.size() < count) {
        return std::nullopt;
    }
    std::uint32_t value = 0;
    const char* const begin = rest.data();
    const auto [end, error] = std::from_chars(begin, begin + count, value, base);
    if (error != std::errc{} || end != begin + count) {
        return std::nullopt;
    }
    rest.remove_prefix(count);
    return static_cast<char32_t>(value);
}

// Reads the escape behind a backslash and appends what it stands for.
bool take_escape(std::string_view& rest, char quote, std::string& out) {
    if (rest.empty()) {
        return false;
    }
    const char c = rest.front();
    rest.remove_prefix(1);
    constexpr std::string_view kLetters = "abtnvfr";
    if (const std::size_t index = kLetters.find(c); index != std::string_view::npos) {
        out += static_cast<char>(7 + index);
        return true;
    }
    if (c == '\\' || c == quote) {
        out += c;
        return true;
    }
    if (c == 'x' || (c >= '0' && c <= '7')) {
        if (c != 'x') {
            rest = std::string_view(rest.data() - 1, rest.size() + 1);
        }
        const auto byte = c == 'x' ? read_digits(rest, 2, 16) : read_digits(rest, 3, 8);
        if (!byte || *byte > 0xFF) {
            return false;
        }
        out += static_cast<char>(static_cast<unsigned char>(*byte));
        return true;
    }
    if (c == 'u' || c == 'U') {
        const auto code_point = read_digits(rest, c == 'u' ? 4 : 8, 16);
        if (!code_point || *code_point > 0x10FFFF ||
            (*code_point >= 0xD800 && *code_point <= 0xDFFF)) {
            return false;
        }
        append_utf8(out, *code_point);
        return true;
    }
    return false;
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
    const std::size_t length = utf8_sequence_length(text);
    if (length == 0) {
        return {};
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (length == 1) {
        return {byte(0), 1, true};
    }
    char32_t value = byte(0) & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        value = (value << 6U) | (byte(i) & 0x3FU);
    }
    return {value, length, true};
}

void append_utf8(std::string& out, char32_t c) {
    const auto put = [&](char32_t bits) {
        out += static_cast<char>(static_cast<unsigned char>(bits));
    };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6U));
        put(0x80 | (c & 0x3FU));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12U));
        put(0x80 | ((c >> 6U) & 0x3FU));
        put(0x80 | (c & 0x3FU));
    } else {
        put(0xF0 | (c >> 18U));
        put(0x80 | ((c >> 12U) & 0x3FU));
        put(0x80 | ((c >> 6U) & 0x3FU));
        put(0x80 | (c & 0x3FU));
    }
}

std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++count) {
        i += decode_utf8(text.substr(i)).length;
    }
    return count;
}

bool is_space(char32_t c) {
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

char32_t to_upper(char32_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7) ||
        (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x430 && c <= 0x44F)) {
        return c - 0x20;
    }
    if (c >= 0x450 && c <= 0x45F) {
        return c - 0x50;
    }
    if (c == 0xFF) {
        return 0x178;
    }
    const bool odd_is_lower =
        (c >= 0x100 && c <= 0x137 && c != 0x131) || (c >= 0x14A && c <= 0x177);
    const bool even_is_lower = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    if ((odd_is_lower && c % 2 == 1) || (even_is_lower && c % 2 == 0)) {
        return c - 1;
    }
    return c;
}

char32_t to_lower(char32_t c) {
    for (const char32_t step : {0x20U, 0x50U, 0x01U}) {
        if (to_upper(c + step) == c) {
            return c + step;
        }
    }
    return c == 0x178 ? char32_t{0xFF} : c;
}

bool is_letter(char32_t c) {
    if (c < 0x80) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    return c >= 0xC0 && c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) && c < 0xE000;
}

std::string go_quote(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const CodePoint c = decode_utf8(text);
        if (!c.valid) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        } else if (c.value == '"' || c.value == '\\') {
            out += '\\';
            out += static_cast<char>(c.value);
        } else if (const char letter = short_escape(c.value); letter != '\0') {
            out += '\\';
            out += letter;
        } else if (is_printable(c.value)) {
            out += text.substr(0, c.length);
        } else if (c.value < 0x80) {
            out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c.value));
        } else if (c.value < 0x10000) {
            out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c.value));
        } else {
            out += fmt::format("\\U{:08x}", static_cast<std::uint32_t>(c.value));
        }
        text.remove_prefix(c.length);
    }
    return out + '"';
}

std::optional<std::string> go_unquote(std::string_view literal) {
    if (literal.size() < 2 || literal.front() != literal.back()) {
        return std::nullopt;
    }
    const char quote = literal.front();
    std::string_view rest = literal.substr(1, literal.size() - 2);
    std::string out;
    if (quote == '`') {
        if (rest.find('`') != std::string_view::npos) {
            return std::nullopt;
        }
        std::copy_if(rest.begin(), rest.end(), std::back_inserter(out),
                     [](char c) { return c != '\r'; });
        return out;
    }
    if (quote != '"' && quote != '\'') {
        return std::nullopt;
    }
    while (!rest.empty()) {
        const char c = rest.front();
        if (c == quote || c == '\n') {
            return std::nullopt;
        }
        rest.remove_prefix(1);
        if (c != '\\') {
            out += c;
        } else if (!take_escape(rest, quote, out)) {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace kpid::alerting
