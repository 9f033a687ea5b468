#pragma once
// The tokens of matcher texts in Alertmanager's UTF-8 grammar.

#include "kpid/base/result.h"
#include "kpid/model/matcher.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace kpid::alerting {

struct MatcherToken {
    enum class Kind { kEnd, kOpenBrace, kCloseBrace, kComma, kOperator, kQuoted, kUnquoted };
    Kind kind = Kind::kEnd;
    std::string_view text;  ///< As written, with its quotes.
    model::MatchType type = model::MatchType::kEqual;
    std::size_t start = 0;  ///< In characters.
    std::size_t end = 0;
};

/// Reads token after token; `text` outlives it.
class MatcherLexer {
public:
    explicit MatcherLexer(std::string_view text) : rest_(text) {}
    [[nodiscard]] Result<MatcherToken> next();

private:
    MatcherToken take(MatcherToken::Kind kind, std::size_t bytes);

    std::string_view rest_;
    std::size_t column_ = 0;
};

/// Removes one of `=`, `!=`, `=~`, `!~` from the start.
[[nodiscard]] std::optional<model::MatchType> take_match_operator(std::string_view& text);
/// True when a text must be quoted.
[[nodiscard]] bool has_reserved_character(std::string_view text);

}  // namespace kpid::alerting
