// Lookahead, errors and the values of literals.

#include "promql/token_reader.h"

#include "kpid/base/time.h"
#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"
#include "promql/number_literal.h"
#include "promql/quoting.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::promql {

const Token& TokenReader::peek() {
    if (!peeked_) {
        next_ = lexer_.next();
        peeked_ = true;
    }
    return next_;
}

Token TokenReader::take() {
    static_cast<void>(peek());
    peeked_ = false;
    taken_end_ = next_.position.end;
    return std::move(next_);
}

bool TokenReader::accept(TokenKind kind) {
    if (!peek_is(kind)) {
        return false;
    }
    take();
    return true;
}

Result<Token> TokenReader::expect(TokenKind kind, std::string_view context,
                                  std::string_view expected) {
    if (!peek_is(kind)) {
        return unexpected(context, expected);
    }
    return take();
}

Error TokenReader::error_at(std::size_t offset, std::string_view message) const {
    return invalid_argument(
        fmt::format("{}: parse error: {}", line_and_column(text_, offset), message));
}

Error TokenReader::unexpected(std::string_view context, std::string_view expected) {
    const Token& token = peek();
    if (token.kind == TokenKind::kError) {
        return error_at(token.position.start, token.error);
    }
    std::string message = "unexpected " + describe(token);
    if (!context.empty()) {
        message += fmt::format(" in {}", context);
    }
    if (!expected.empty()) {
        message += fmt::format(", expected {}", expected);
    }
    return error_at(token.position.start, message);
}

Result<std::string> TokenReader::string_value(const Token& token) const {
    std::optional<std::string> value = unquote(token.text);
    if (!value) {
        return error_at(
            token.position.start,
            fmt::format("error unquoting string {}: invalid syntax", quote_string(token.text)));
    }
    return *std::move(value);
}

Result<double> TokenReader::number_value(const Token& token) const {
    if (token.kind == TokenKind::kDuration) {
        const Result<Duration> duration = parse_duration(token.text);
        if (!duration) {
            return error_at(token.position.start, duration.error().message);
        }
        return static_cast<double>(duration->count()) / 1000.0;
    }
    Result<double> number = parse_number_literal(token.text);
    if (!number) {
        return error_at(token.position.start, "error parsing number: " + number.error().message);
    }
    return number;
}

}  // namespace kpid::promql
