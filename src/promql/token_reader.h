#pragma once
// What all of PromQL's parsers share: one token of lookahead, errors in Prometheus' words, names
// and numbers.

#include "kpid/base/result.h"
#include "promql/lexer.h"

#include <string>
#include <string_view>

namespace kpid::promql {

class TokenReader {
public:
    TokenReader(std::string_view text, Lexer::Mode mode) : text_(text), lexer_(text, mode) {}

    /// The next token; read only when asked for, so that errors in it come after what stands before
    /// it.
    [[nodiscard]] const Token& peek();
    [[nodiscard]] bool peek_is(TokenKind kind) { return peek().kind == kind; }
    Token take();
    /// Takes the token when it is of this kind.
    bool accept(TokenKind kind);
    /// The token of this kind, or the error that unexpected() makes.
    [[nodiscard]] Result<Token> expect(TokenKind kind, std::string_view context = {},
                                       std::string_view expected = {});

    /// `line:column: parse error: message`.
    [[nodiscard]] Error error_at(std::size_t offset, std::string_view message) const;
    /// The error that the next token must not stand here: the lexer's where it is wrong in itself,
    /// else `unexpected … in context, expected …`.
    [[nodiscard]] Error unexpected(std::string_view context = {}, std::string_view expected = {});

    /// The value of a string token.
    [[nodiscard]] Result<std::string> string_value(const Token& token) const;
    /// The value of a number or duration token, in seconds for a duration.
    [[nodiscard]] Result<double> number_value(const Token& token) const;

    /// Where the last taken token ends.
    [[nodiscard]] std::uint32_t taken_end() const { return taken_end_; }
    [[nodiscard]] std::string_view text() const { return text_; }

private:
    std::string_view text_;
    Lexer lexer_;
    Token next_;
    bool peeked_ = false;
    std::uint32_t taken_end_ = 0;
};

}  // namespace kpid::promql
