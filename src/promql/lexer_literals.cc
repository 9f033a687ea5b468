// The lexer of strings, numbers and durations.

#include "kpid/promql/printer.h"
#include "promql/characters.h"
#include "promql/lexer.h"
#include "promql/quoting.h"

#include <fmt/format.h>

namespace kpid::promql {
namespace {

constexpr std::string_view kDecimalDigits = "0123456789";
constexpr std::string_view kHexadecimalDigits = "0123456789abcdefABCDEF";
constexpr char32_t kCharacterMax = 0x10ffff;

unsigned digit_value(char32_t c) {
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<unsigned>(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return static_cast<unsigned>(c - 'A') + 10;
    }
    return 16;
}

}  // namespace

// The opening quote is taken already.
Token Lexer::lex_string(char quote) {
    while (true) {
        const std::optional<char32_t> c = take_character();
        if (c == kReplacementCharacter) {
            return fail("invalid UTF-8 rune");
        }
        if (!c || (*c == '\n' && quote != '`')) {
            return fail(quote == '`' ? "unterminated raw string" : "unterminated quoted string");
        }
        if (*c == static_cast<char32_t>(quote)) {
            return emit(TokenKind::kString);
        }
        if (*c == '\\' && quote != '`') {
            if (std::optional<Token> error = lex_escape(quote)) {
                return *std::move(error);
            }
        }
    }
}

// Checks the escape behind a backslash; gives back the error, if there is one.
std::optional<Token> Lexer::lex_escape(char quote) {
    struct Form {
        unsigned digits;
        unsigned base;
        char32_t largest;
    };
    std::optional<char32_t> c = take_character();
    if (!c) {
        return fail("escape sequence not terminated");
    }
    Form form{};
    if (*c >= '0' && *c <= '7') {
        form = {3, 8, 255};
    } else if (*c == 'x' || *c == 'u' || *c == 'U') {
        form = *c == 'x' ? Form{2, 16, 255} : Form{*c == 'u' ? 4U : 8U, 16, kCharacterMax};
        c = take_character();
    } else if (*c == static_cast<char32_t>(quote) ||
               std::u32string_view(U"abfnrtv\\").find(*c) != std::u32string_view::npos) {
        return std::nullopt;
    } else {
        return fail("unknown escape sequence " + name_character(c));
    }
    std::uint64_t value = 0;
    for (unsigned i = 0; i < form.digits; ++i) {
        if (i > 0) {
            c = take_character();
        }
        if (!c) {
            return fail("escape sequence not terminated");
        }
        const unsigned digit = digit_value(*c);
        if (digit >= form.base) {
            return fail(fmt::format("illegal character {} in escape sequence", name_character(c)));
        }
        value = value * form.base + digit;
    }
    if (value > form.largest || (value >= 0xd800 && value < 0xe000)) {
        return fail("escape sequence is an invalid Unicode code point");
    }
    return std::nullopt;
}

Token Lexer::lex_number() {
    if (!scan_number()) {
        return fail(fmt::format("bad number syntax: {}",
                                quote_string(text_.substr(start_, position_ - start_))));
    }
    return emit(TokenKind::kNumber);
}

Token Lexer::lex_number_or_duration() {
    if (scan_number()) {
        return emit(TokenKind::kNumber);
    }
    if (scan_duration_tail()) {
        return emit(TokenKind::kDuration);
    }
    return fail(fmt::format("bad number or duration syntax: {}",
                            quote_string(text_.substr(start_, position_ - start_))));
}

// Scans what may be a number; whether it is one, the parser finds out. Where it is none, the
// position stays where that became clear: a duration may go on there, and messages show the text up
// to there.
bool Lexer::scan_number() {
    const std::size_t first = position_;
    std::string_view digits = kDecimalDigits;
    // In a series `0x3` is a repetition.
    if (mode_ != Mode::kSeries && accept('0') && accept("xX")) {
        accept('_');
        digits = kHexadecimalDigits;
    }
    accept('.');
    accept(digits);
    bool dot_seen = false;
    bool exponent_seen = false;
    while (peek_in(digits) || peek_in("._eE")) {
        if (peek_in(".") && dot_seen) {
            ++position_;
            return false;
        }
        if (peek_in("eE") && exponent_seen) {
            ++position_;
            return false;
        }
        if (accept('.')) {
            dot_seen = true;
            if (accept("_.") || digits == kHexadecimalDigits) {
                return false;
            }
        } else if (accept("eE")) {
            exponent_seen = true;
            accept("+-");
            if (accept("._eE") || at_end()) {
                return false;
            }
        } else if (accept('_')) {
            if (accept("._eE") || at_end()) {
                return false;
            }
        } else {
            while (accept(digits)) {
            }
        }
    }
    if (position_ == first) {
        return false;
    }
    return !is_letter_or_digit(peek()) || (mode_ == Mode::kSeries && peek() == 'x');
}

// The units of a duration whose first digits are taken, and its further parts. Takes the character
// behind when the duration is wrong, so that messages show it.
bool Lexer::scan_duration_tail() {
    if (!accept("smhdwy")) {
        return false;
    }
    accept('s');
    while (accept(kDecimalDigits)) {
        while (accept(kDecimalDigits)) {
        }
        if (!accept("smhdw")) {
            return false;
        }
        accept('s');
    }
    if (is_letter_or_digit(peek())) {
        ++position_;
        return false;
    }
    return true;
}

}  // namespace kpid::promql
