// The tokens of Alertmanager's UTF-8 matcher grammar.

#include "alerting/matcher_lexer.h"

#include "alerting/go_text.h"

#include <fmt/format.h>

namespace kpid::alerting {
namespace {

using Kind = MatcherToken::Kind;

bool is_reserved(char32_t c) {
    constexpr std::string_view kReserved = "{}!=~,\\\"'`";
    return is_space(c) ||
           (c < 0x80 && kReserved.find(static_cast<char>(c)) != std::string_view::npos);
}

// The length of the quoted text at the start, or 0 when its end is missing.
std::size_t quoted_length(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            return i + 1;
        }
    }
    return 0;
}

std::size_t unquoted_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size()) {
        const CodePoint c = decode_utf8(text.substr(length));
        if (!c.valid || is_reserved(c.value)) {
            break;
        }
        length += c.length;
    }
    return length;
}

}  // namespace

MatcherToken MatcherLexer::take(Kind kind, std::size_t bytes) {
    MatcherToken token;
    token.kind = kind;
    token.text = rest_.substr(0, bytes);
    token.start = column_;
    column_ += count_code_points(token.text);
    token.end = column_;
    rest_.remove_prefix(bytes);
    return token;
}

Result<MatcherToken> MatcherLexer::next() {
    while (!rest_.empty()) {
        const CodePoint c = decode_utf8(rest_);
        if (!c.valid || !is_space(c.value)) {
            break;
        }
        rest_.remove_prefix(c.length);
        ++column_;
    }
    if (rest_.empty()) {
        return take(Kind::kEnd, 0);
    }
    switch (rest_.front()) {
        case '{':
            return take(Kind::kOpenBrace, 1);
        case '}':
            return take(Kind::kCloseBrace, 1);
        case ',':
            return take(Kind::kComma, 1);
        default:
            break;
    }
    std::string_view after = rest_;
    if (const auto type = take_match_operator(after)) {
        MatcherToken token = take(Kind::kOperator, rest_.size() - after.size());
        token.type = *type;
        return token;
    }
    if (rest_.front() == '"') {
        const std::size_t length = quoted_length(rest_);
        if (length == 0) {
            const MatcherToken token = take(Kind::kQuoted, rest_.size());
            return invalid_argument(
                fmt::format("{}:{}: {}: missing end \"", token.start, token.end, token.text));
        }
        return take(Kind::kQuoted, length);
    }
    if (const std::size_t length = unquoted_length(rest_); length > 0) {
        return take(Kind::kUnquoted, length);
    }
    const MatcherToken token = take(Kind::kUnquoted, decode_utf8(rest_).length);
    return invalid_argument(
        fmt::format("{}:{}: {}: invalid input", token.start, token.end, token.text));
}

std::optional<model::MatchType> take_match_operator(std::string_view& text) {
    using model::MatchType;
    for (const MatchType type :
         {MatchType::kRegexp, MatchType::kNotRegexp, MatchType::kNotEqual, MatchType::kEqual}) {
        const std::string_view spelling = model::to_string(type);
        if (text.starts_with(spelling)) {
            text.remove_prefix(spelling.size());
            return type;
        }
    }
    return std::nullopt;
}

bool has_reserved_character(std::string_view text) {
    return unquoted_length(text) != text.size();
}

}  // namespace kpid::alerting
