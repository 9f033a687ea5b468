#pragma once
// Cuts a PromQL text into tokens.

#include "promql/token.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::promql {

/// Reads tokens from a text that outlives it. What a character means depends on where it stands (in
/// braces, in brackets, among the values of a series), so that the lexer carries that state. Blanks
/// and comments are skipped, except the blanks between the values of a series. Wrong text is one
/// kError token at the place and in the words in which Prometheus reports it; nothing but kEnd
/// follows it.
class Lexer {
public:
    enum class Mode { kExpression, kSeries };
    explicit Lexer(std::string_view text, Mode mode = Mode::kExpression)
        : text_(text), mode_(mode) {}

    [[nodiscard]] Token next();

private:
    enum class State {
        kStatement,
        kBraces,         ///< Between { and }.
        kDurationStart,  ///< Behind [, until the first number.
        kValues,         ///< Behind the metric of a series.
        kHistogram,      ///< Between {{ and }}.
        kBuckets,        ///< Between [ and ] of a histogram.
        kDone,
    };

    // Characters.
    [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[position_]; }
    [[nodiscard]] std::optional<char32_t> take_character();
    [[nodiscard]] std::optional<char32_t> peek_character() const;
    [[nodiscard]] bool peek_in(std::string_view set) const;
    bool accept(std::string_view set);
    bool accept(char c);
    void skip_blanks();
    void skip_comment();

    // Each makes the next token from the state it is named after, or nothing when it only skipped.
    std::optional<Token> lex_statement();
    std::optional<Token> lex_braces();
    std::optional<Token> lex_duration_start();
    std::optional<Token> lex_values();
    std::optional<Token> lex_histogram();
    std::optional<Token> lex_buckets();

    Token lex_end();
    std::optional<Token> lex_symbol(char c);
    Token lex_arithmetic(char c);
    Token lex_comparison(char c);
    Token lex_bracketed_word(char c);
    Token lex_word();
    Token lex_duration_word();
    Token lex_histogram_word();
    Token lex_number();
    Token lex_number_or_duration();
    Token lex_string(char quote);
    std::optional<Token> lex_escape(char quote);
    [[nodiscard]] bool scan_number();
    [[nodiscard]] bool scan_duration_tail();
    [[nodiscard]] bool followed_by_left_paren() const;

    Token emit(TokenKind kind);
    Token fail(std::string message);

    std::string_view text_;
    Mode mode_;
    State state_ = State::kStatement;
    std::size_t position_ = 0;
    std::size_t start_ = 0;  ///< Where the token under way begins.
    std::size_t paren_depth_ = 0;
    bool bracket_open_ = false;
    bool colon_seen_ = false;     ///< Since the last [.
    bool duration_seen_ = false;  ///< Since the last [.
};

}  // namespace kpid::promql
