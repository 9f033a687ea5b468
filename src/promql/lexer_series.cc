// The lexer of the values of a series description.

#include "kpid/promql/printer.h"
#include "promql/characters.h"
#include "promql/lexer.h"
#include "promql/quoting.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kpid::promql {
namespace {

constexpr auto kHistogramKeys = std::to_array<std::string_view>(
    {"sum", "count", "schema", "offset", "n_offset", "buckets", "n_buckets", "z_bucket",
     "z_bucket_w", "custom_values", "counter_reset_hint"});
constexpr auto kCounterResetHints =
    std::to_array<std::string_view>({"unknown", "reset", "not_reset", "gauge"});

template <class Words>
bool contains(const Words& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::optional<Token> Lexer::lex_values() {
    if (at_end()) {
        return lex_end();
    }
    const char c = peek();
    if (is_blank(c)) {
        skip_blanks();
        return emit(TokenKind::kSpace);
    }
    if (is_digit(c) ||
        (c == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1]))) {
        return lex_number();
    }
    if (is_letter(c) && c != 'x' && c != '_') {
        return lex_word();
    }
    const char32_t character = *take_character();
    switch (c) {
        case '+':
            return emit(TokenKind::kAdd);
        case '-':
            return emit(TokenKind::kSub);
        case 'x':
            return emit(TokenKind::kTimes);
        case '_':
            return emit(TokenKind::kBlank);
        case '{':
            if (accept('{')) {
                state_ = State::kHistogram;
                return emit(TokenKind::kOpenHistogram);
            }
            break;
        default:
            break;
    }
    return fail(
        fmt::format("unexpected character in series sequence: {}", quote_character(character)));
}

std::optional<Token> Lexer::lex_histogram() {
    const char c = peek();
    if (!at_end() && is_blank(c)) {
        skip_blanks();
        return emit(TokenKind::kSpace);
    }
    if (is_digit(c)) {
        return lex_number();
    }
    if (is_letter(c)) {
        return lex_histogram_word();
    }
    const std::optional<char32_t> character = take_character();
    switch (c) {
        case ':':
            return emit(TokenKind::kColon);
        case '-':
            return emit(TokenKind::kSub);
        case '[':
            state_ = State::kBuckets;
            bracket_open_ = true;
            return emit(TokenKind::kLeftBracket);
        case '}':
            if (accept('}')) {
                state_ = State::kValues;
                return emit(TokenKind::kCloseHistogram);
            }
            break;
        default:
            break;
    }
    return fail(
        fmt::format("histogram description incomplete unexpected: {}", quote_character(character)));
}

Token Lexer::lex_histogram_word() {
    while (is_letter(peek())) {
        ++position_;
    }
    const std::string_view word = text_.substr(start_, position_ - start_);
    if (contains(kHistogramKeys, word)) {
        return peek() == ':' ? emit(TokenKind::kHistogramKey)
                             : fail("missing `:` for histogram descriptor");
    }
    if (classify_word(word).kind == TokenKind::kNumber) {
        return emit(TokenKind::kNumber);
    }
    if (contains(kCounterResetHints, word)) {
        return emit(TokenKind::kCounterResetHint);
    }
    return fail(fmt::format("bad histogram descriptor found: {}", quote_string(word)));
}

std::optional<Token> Lexer::lex_buckets() {
    const char c = peek();
    if (!at_end() && is_blank(c)) {
        skip_blanks();
        return emit(TokenKind::kSpace);
    }
    if (is_digit(c)) {
        return lex_number();
    }
    if (is_letter(c)) {
        while (is_letter(peek())) {
            ++position_;
        }
        if (classify_word(text_.substr(start_, position_ - start_)).kind == TokenKind::kNumber) {
            return emit(TokenKind::kNumber);
        }
        return fail(fmt::format("invalid character in buckets description: {}",
                                quote_character(static_cast<unsigned char>(c))));
    }
    const std::optional<char32_t> character = take_character();
    if (c == '-') {
        return emit(TokenKind::kSub);
    }
    if (c == ']') {
        state_ = State::kHistogram;
        bracket_open_ = false;
        return emit(TokenKind::kRightBracket);
    }
    return fail(
        fmt::format("invalid character in buckets description: {}", quote_character(character)));
}

}  // namespace kpid::promql
