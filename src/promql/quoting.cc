// UTF-8 and Go's quoting.

#include "promql/quoting.h"

#include "kpid/promql/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kpid::promql {
namespace {

constexpr char32_t kCharacterMax = 0x10ffff;

bool is_surrogate(char32_t c) {
    return c >= 0xd800 && c <= 0xdfff;
}

// Ranges outside ASCII that are not printed as they are: controls, blanks, format characters,
// private use.
constexpr std::array<std::pair<char32_t, char32_t>, 13> kNotPrinted{{{0x7f, 0xa0},
                                                                     {0xad, 0xad},
                                                                     {0x1680, 0x1680},
                                                                     {0x180e, 0x180e},
                                                                     {0x2000, 0x200f},
                                                                     {0x2028, 0x202f},
                                                                     {0x205f, 0x206f},
                                                                     {0x3000, 0x3000},
                                                                     {0xd800, 0xf8ff},
                                                                     {0xfeff, 0xfeff},
                                                                     {0xfff0, 0xfffb},
                                                                     {0xfffe, 0xffff},
                                                                     {0xe0000, 0xffffffff}}};

bool is_printed(char32_t c) {
    return c >= 0x20 &&
           std::none_of(kNotPrinted.begin(), kNotPrinted.end(),
                        [c](const auto& range) { return c >= range.first && c <= range.second; });
}

// The letter of a one-letter escape, or 0.
char escape_letter(char32_t c) {
    switch (c) {
        case '\a':
            return 'a';
        case '\b':
            return 'b';
        case '\f':
            return 'f';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        case '\v':
            return 'v';
        default:
            return 0;
    }
}

void append_quoted(std::string& out, char32_t c, char quote) {
    if (c == static_cast<char32_t>(quote) || c == '\\') {
        out += '\\';
        out += static_cast<char>(c);
    } else if (is_printed(c)) {
        append_character(out, c);
    } else if (const char letter = escape_letter(c); letter != 0) {
        out += '\\';
        out += letter;
    } else if (c < 0x20 || c == 0x7f) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else if (c < 0x10000) {
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
        out += fmt::format("\\U{:08x}", static_cast<unsigned>(c));
    }
}

std::optional<unsigned> digit_value(char c, unsigned base) {
    unsigned value = base;
    if (c >= '0' && c <= '9') {
        value = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
        value = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
        value = static_cast<unsigned>(c - 'A') + 10;
    }
    return value < base ? std::optional(value) : std::nullopt;
}

// Takes `count` digits from the front of `rest`.
std::optional<char32_t> take_digits(std::string_view& rest, std::size_t count, unsigned base) {
    if (rest.size() < count) {
        return std::nullopt;
    }
    char32_t value = 0;
    for (const char c : rest.substr(0, count)) {
        const std::optional<unsigned> digit = digit_value(c, base);
        if (!digit) {
            return std::nullopt;
        }
        value = value * base + *digit;
    }
    rest.remove_prefix(count);
    return value;
}

// Resolves the escape whose text begins `rest`, behind the backslash.
bool append_escape(std::string& out, std::string_view& rest, char quote) {
    if (rest.empty()) {
        return false;
    }
    const char kind = rest.front();
    if (kind >= '0' && kind <= '7') {
        const std::optional<char32_t> byte = take_digits(rest, 3, 8);
        if (!byte || *byte > 255) {
            return false;
        }
        out += static_cast<char>(*byte);
        return true;
    }
    rest.remove_prefix(1);
    if (kind == 'x') {
        const std::optional<char32_t> byte = take_digits(rest, 2, 16);
        if (byte) {
            out += static_cast<char>(*byte);
        }
        return byte.has_value();
    }
    if (kind == 'u' || kind == 'U') {
        const std::optional<char32_t> c = take_digits(rest, kind == 'u' ? 4 : 8, 16);
        if (!c || *c > kCharacterMax || is_surrogate(*c)) {
            return false;
        }
        append_character(out, *c);
        return true;
    }
    constexpr std::string_view kLetters = "abfnrtv\\";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
    if (kind == quote) {
        out += quote;
        return true;
    }
    const std::size_t found = kLetters.find(kind);
    if (found == std::string_view::npos) {
        return false;
    }
    out += kMeanings[found];
    return true;
}

}  // namespace

DecodedCharacter decode_character(std::string_view text, std::size_t position) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - position < width) {
        return {};
    }
    char32_t c = first & (0xffU >> (width + 1));
    for (std::size_t i = 1; i < width; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return {};
        }
        c = (c << 6) | (byte(i) & 0x3fU);
    }
    const bool overlong = (width == 3 && c < 0x800) || (width == 4 && c < 0x10000);
    if (overlong || c > kCharacterMax || is_surrogate(c)) {
        return {};
    }
    return {c, width};
}

bool is_valid_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const DecodedCharacter decoded = decode_character(text, i);
        if (decoded.character == kReplacementCharacter && decoded.width == 1) {
            return false;
        }
        i += decoded.width;
    }
    return true;
}

void append_character(std::string& out, char32_t c) {
    const auto tail = [c](unsigned shift) {
        return static_cast<char>(0x80 | ((c >> shift) & 0x3f));
    };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | (c >> 6));
        out += tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | (c >> 12));
        out += tail(6);
        out += tail(0);
    } else {
        out += static_cast<char>(0xf0 | (c >> 18));
        out += tail(12);
        out += tail(6);
        out += tail(0);
    }
}

std::string quote_character(std::optional<char32_t> character) {
    std::string out = "'";
    append_quoted(out, character.value_or(kReplacementCharacter), '\'');
    return out + '\'';
}

std::string name_character(std::optional<char32_t> character) {
    const char32_t c = character.value_or(kReplacementCharacter);
    std::string out = fmt::format("U+{:04X}", static_cast<unsigned>(c));
    if (is_printed(c)) {
        out += " '";
        append_character(out, c);
        out += '\'';
    }
    return out;
}

std::string quote_string(std::string_view text) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size();) {
        const DecodedCharacter decoded = decode_character(text, i);
        if (decoded.character == kReplacementCharacter && decoded.width == 1) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
        } else {
            append_quoted(out, decoded.character, '"');
        }
        i += decoded.width;
    }
    return out + '"';
}

std::optional<std::string> unquote(std::string_view literal) {
    if (literal.size() < 2 || literal.front() != literal.back()) {
        return std::nullopt;
    }
    const char quote = literal.front();
    std::string_view rest = literal.substr(1, literal.size() - 2);
    if (quote == '`') {
        return rest.find('`') == std::string_view::npos ? std::optional(std::string(rest))
                                                        : std::nullopt;
    }
    if ((quote != '"' && quote != '\'') || rest.find('\n') != std::string_view::npos) {
        return std::nullopt;
    }
    std::string out;
    out.reserve(rest.size());
    while (!rest.empty()) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c == quote) {
            return std::nullopt;
        }
        if (c != '\\') {
            out += c;
        } else if (!append_escape(out, rest, quote)) {
            return std::nullopt;
        }
    }
    return out;
}

}  // namespace kpid::promql
