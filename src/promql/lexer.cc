// The lexer of expressions: statements, braces, brackets. Strings and numbers are in
// lexer_literals.cc, the values of series in lexer_series.cc.

#include "promql/lexer.h"

#include "promql/characters.h"
#include "promql/quoting.h"

#include <fmt/format.h>

namespace kpid::promql {

Token Lexer::next() {
    while (true) {
        start_ = position_;
        std::optional<Token> token;
        switch (state_) {
            case State::kStatement:
                token = lex_statement();
                break;
            case State::kBraces:
                token = lex_braces();
                break;
            case State::kDurationStart:
                token = lex_duration_start();
                break;
            case State::kValues:
                token = lex_values();
                break;
            case State::kHistogram:
                token = lex_histogram();
                break;
            case State::kBuckets:
                token = lex_buckets();
                break;
            case State::kDone:
                return emit(TokenKind::kEnd);
        }
        if (token) {
            return *std::move(token);
        }
    }
}

std::optional<char32_t> Lexer::take_character() {
    if (at_end()) {
        return std::nullopt;
    }
    const DecodedCharacter decoded = decode_character(text_, position_);
    position_ += decoded.width;
    return decoded.character;
}

std::optional<char32_t> Lexer::peek_character() const {
    return at_end() ? std::nullopt : std::optional(decode_character(text_, position_).character);
}

bool Lexer::peek_in(std::string_view set) const {
    return !at_end() && set.find(text_[position_]) != std::string_view::npos;
}

bool Lexer::accept(std::string_view set) {
    const bool accepted = peek_in(set);
    position_ += accepted ? 1 : 0;
    return accepted;
}

bool Lexer::accept(char c) {
    return accept(std::string_view(&c, 1));
}

void Lexer::skip_blanks() {
    while (!at_end() && is_blank(peek())) {
        ++position_;
    }
}

void Lexer::skip_comment() {
    while (!at_end() && peek() != '\n' && peek() != '\r') {
        ++position_;
    }
}

Token Lexer::emit(TokenKind kind) {
    Token token;
    token.kind = kind;
    token.position = {static_cast<std::uint32_t>(start_), static_cast<std::uint32_t>(position_)};
    token.text = text_.substr(start_, position_ - start_);
    start_ = position_;
    return token;
}

Token Lexer::fail(std::string message) {
    Token token;
    token.kind = TokenKind::kError;
    token.position = {static_cast<std::uint32_t>(start_), static_cast<std::uint32_t>(text_.size())};
    token.error = std::move(message);
    state_ = State::kDone;
    position_ = text_.size();
    return token;
}

std::optional<Token> Lexer::lex_statement() {
    if (at_end()) {
        return lex_end();
    }
    const char c = peek();
    if (c == '#') {
        skip_comment();
        return std::nullopt;
    }
    if (is_blank(c)) {
        skip_blanks();
        return std::nullopt;
    }
    if (is_digit(c) ||
        (c == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1]))) {
        return lex_number_or_duration();
    }
    if (is_letter(c) || c == ':') {
        return bracket_open_ ? lex_bracketed_word(c) : lex_word();
    }
    if (c == '"' || c == '\'' || c == '`') {
        ++position_;
        return lex_string(c);
    }
    return lex_symbol(c);
}

Token Lexer::lex_end() {
    if (paren_depth_ != 0) {
        return fail("unclosed left parenthesis");
    }
    if (bracket_open_) {
        return fail("unclosed left bracket");
    }
    return emit(TokenKind::kEnd);
}

std::optional<Token> Lexer::lex_symbol(char c) {
    const char32_t character = *take_character();
    switch (c) {
        case ',':
            return emit(TokenKind::kComma);
        case '@':
            return emit(TokenKind::kAt);
        case '{':
            state_ = State::kBraces;
            return emit(TokenKind::kLeftBrace);
        case '[': {
            if (bracket_open_) {
                return fail(fmt::format("unexpected left bracket {}", quote_character(character)));
            }
            colon_seen_ = false;
            duration_seen_ = false;
            Token token = emit(TokenKind::kLeftBracket);
            bracket_open_ = true;
            state_ = State::kDurationStart;
            return token;
        }
        case ']':
            if (!bracket_open_) {
                return fail(fmt::format("unexpected right bracket {}", quote_character(character)));
            }
            bracket_open_ = false;
            return emit(TokenKind::kRightBracket);
        case '=':
        case '!':
        case '<':
        case '>':
            return lex_comparison(c);
        case '*':
        case '/':
        case '%':
        case '+':
        case '-':
        case '^':
        case '(':
        case ')':
            return lex_arithmetic(c);
        default:
            return fail(fmt::format("unexpected character: {}", quote_character(character)));
    }
}

// What also stands in durations: operators and parentheses. The character is taken already.
Token Lexer::lex_arithmetic(char c) {
    switch (c) {
        case '+':
            return emit(TokenKind::kAdd);
        case '-':
            return emit(TokenKind::kSub);
        case '*':
            return emit(TokenKind::kMul);
        case '/':
            return emit(TokenKind::kDiv);
        case '%':
            return emit(TokenKind::kMod);
        case '^':
            return emit(TokenKind::kPow);
        case '(':
            ++paren_depth_;
            return emit(TokenKind::kLeftParen);
        default:
            break;
    }
    if (paren_depth_ == 0) {
        // Reported behind the parenthesis.
        start_ = position_;
        return fail("unexpected right parenthesis ')'");
    }
    --paren_depth_;
    return emit(TokenKind::kRightParen);
}

Token Lexer::lex_comparison(char c) {
    switch (c) {
        case '=':
            if (peek_in("~")) {
                return fail("unexpected character after '=': '~'");
            }
            return emit(accept('=') ? TokenKind::kEqualEqual : TokenKind::kEqual);
        case '!':
            if (!peek_in("=")) {
                return fail(fmt::format("unexpected character after '!': {}",
                                        quote_character(peek_character())));
            }
            ++position_;
            return emit(TokenKind::kNotEqual);
        case '<':
            if (accept('/')) {
                return emit(TokenKind::kTrimUpper);
            }
            return emit(accept('=') ? TokenKind::kLessOrEqual : TokenKind::kLess);
        default:
            if (accept('/')) {
                return emit(TokenKind::kTrimLower);
            }
            return emit(accept('=') ? TokenKind::kGreaterOrEqual : TokenKind::kGreater);
    }
}

// A letter or a colon between [ and ], behind the first number.
Token Lexer::lex_bracketed_word(char c) {
    if (c == ':') {
        ++position_;
        if (colon_seen_) {
            return fail("unexpected colon ':'");
        }
        colon_seen_ = true;
        return emit(TokenKind::kColon);
    }
    Token token = lex_duration_word();
    return token.kind != TokenKind::kError
               ? token
               : fail(fmt::format("unexpected character: {}, expected ':'",
                                  quote_character(static_cast<unsigned char>(c))));
}

// step, range, max_of, min_of; else a kError token, for which the caller has the words.
Token Lexer::lex_duration_word() {
    while (is_letter(peek())) {
        ++position_;
    }
    Token word = classify_word(text_.substr(start_, position_ - start_));
    switch (word.kind) {
        case TokenKind::kStep:
        case TokenKind::kRange:
        case TokenKind::kMaxOf:
        case TokenKind::kMinOf:
            return emit(word.kind);
        default:
            word.kind = TokenKind::kError;
            return word;
    }
}

bool Lexer::followed_by_left_paren() const {
    std::size_t i = position_;
    while (i < text_.size() && is_blank(text_[i])) {
        ++i;
    }
    return i < text_.size() && text_[i] == '(';
}

Token Lexer::lex_word() {
    while (is_letter_or_digit(peek()) || peek() == ':') {
        ++position_;
    }
    const Token word = classify_word(text_.substr(start_, position_ - start_));
    TokenKind kind = word.kind;
    const bool is_fill =
        kind == TokenKind::kFill || kind == TokenKind::kFillLeft || kind == TokenKind::kFillRight;
    // A younger keyword: metrics of this name keep working.
    if (is_fill && !followed_by_left_paren()) {
        kind = TokenKind::kIdentifier;
    }
    Token token = emit(kind);
    token.aggregator = word.aggregator;
    if (mode_ == Mode::kSeries && peek() != '{') {
        state_ = State::kValues;
    }
    return token;
}

std::optional<Token> Lexer::lex_braces() {
    if (at_end()) {
        return fail("unexpected end of input inside braces");
    }
    const char c = peek();
    if (c == '#') {
        skip_comment();
        return std::nullopt;
    }
    if (is_blank(c)) {
        skip_blanks();
        return std::nullopt;
    }
    if (is_letter(c)) {
        while (is_letter_or_digit(peek())) {
            ++position_;
        }
        return emit(TokenKind::kIdentifier);
    }
    const char32_t character = *take_character();
    switch (c) {
        case ',':
            return emit(TokenKind::kComma);
        case '"':
        case '\'':
        case '`':
            return lex_string(c);
        case '=':
            return emit(accept('~') ? TokenKind::kRegexEqual : TokenKind::kEqual);
        case '!':
            if (accept('~')) {
                return emit(TokenKind::kRegexNotEqual);
            }
            if (accept('=')) {
                return emit(TokenKind::kNotEqual);
            }
            return fail(fmt::format("unexpected character after '!' inside braces: {}",
                                    quote_character(peek_character())));
        case '{':
            return fail("unexpected left brace '{'");
        case '}':
            state_ = mode_ == Mode::kSeries ? State::kValues : State::kStatement;
            return emit(TokenKind::kRightBrace);
        default:
            return fail(
                fmt::format("unexpected character inside braces: {}", quote_character(character)));
    }
}

std::optional<Token> Lexer::lex_duration_start() {
    if (at_end()) {
        return fail("unexpected end of input in duration expression");
    }
    const char c = peek();
    if (is_blank(c)) {
        skip_blanks();
        return std::nullopt;
    }
    if (is_digit(c) ||
        (c == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1]))) {
        duration_seen_ = true;
        state_ = State::kStatement;
        return lex_number_or_duration();
    }
    const char32_t character = *take_character();
    const auto unexpected = [&] {
        return fail(fmt::format("unexpected character in duration expression: {}",
                                quote_character(character)));
    };
    if (is_letter(c)) {
        Token token = lex_duration_word();
        return token.kind != TokenKind::kError ? token : unexpected();
    }
    switch (c) {
        case ']':
            bracket_open_ = false;
            colon_seen_ = false;
            state_ = State::kStatement;
            return emit(TokenKind::kRightBracket);
        case ':':
            if (!duration_seen_) {
                start_ = position_;
                return fail("unexpected colon before duration in duration expression");
            }
            if (colon_seen_) {
                start_ = position_;
                return fail("unexpected repeated colon in duration expression");
            }
            colon_seen_ = true;
            return emit(TokenKind::kColon);
        case ',':
            return emit(TokenKind::kComma);
        case '(':
        case ')':
        case '+':
        case '-':
        case '*':
        case '/':
        case '%':
        case '^':
            return lex_arithmetic(c);
        default:
            return unexpected();
    }
}

}  // namespace kpid::promql
