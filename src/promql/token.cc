// Keywords and how tokens are named in messages.

#include "promql/token.h"

#include "kpid/promql/printer.h"
#include "promql/quoting.h"

#include <algorithm>
#include <array>

namespace kpid::promql {
namespace {

struct Keyword {
    std::string_view word;
    TokenKind kind;
};

constexpr auto kKeywords = std::to_array<Keyword>({
    {"and", TokenKind::kAnd},
    {"or", TokenKind::kOr},
    {"unless", TokenKind::kUnless},
    {"atan2", TokenKind::kAtan2},
    {"inf", TokenKind::kNumber},
    {"nan", TokenKind::kNumber},
    {"bool", TokenKind::kBool},
    {"by", TokenKind::kBy},
    {"without", TokenKind::kWithout},
    {"on", TokenKind::kOn},
    {"ignoring", TokenKind::kIgnoring},
    {"group_left", TokenKind::kGroupLeft},
    {"group_right", TokenKind::kGroupRight},
    {"fill", TokenKind::kFill},
    {"fill_left", TokenKind::kFillLeft},
    {"fill_right", TokenKind::kFillRight},
    {"offset", TokenKind::kOffset},
    {"smoothed", TokenKind::kSmoothed},
    {"anchored", TokenKind::kAnchored},
    {"start", TokenKind::kStart},
    {"end", TokenKind::kEndKeyword},
    {"step", TokenKind::kStep},
    {"range", TokenKind::kRange},
    {"max_of", TokenKind::kMaxOf},
    {"min_of", TokenKind::kMinOf},
});

constexpr auto kAggregators = std::to_array<AggregateOperator>({
    AggregateOperator::kSum,
    AggregateOperator::kAvg,
    AggregateOperator::kCount,
    AggregateOperator::kMin,
    AggregateOperator::kMax,
    AggregateOperator::kGroup,
    AggregateOperator::kStddev,
    AggregateOperator::kStdvar,
    AggregateOperator::kTopk,
    AggregateOperator::kBottomk,
    AggregateOperator::kCountValues,
    AggregateOperator::kQuantile,
    AggregateOperator::kLimitk,
    AggregateOperator::kLimitRatio,
});

constexpr std::size_t kKeywordBytesMax = 16;
constexpr std::size_t kShownCharactersMax = 10;

bool in_range(TokenKind kind, TokenKind first, TokenKind last) {
    return kind >= first && kind <= last;
}

// The text in quotes, cut when it is long.
std::string quote_shortened(std::string_view text) {
    if (text.size() <= kShownCharactersMax) {
        return quote_string(text);
    }
    std::size_t end = 0;
    for (std::size_t count = 0; count < kShownCharactersMax && end < text.size(); ++count) {
        end += decode_character(text, end).width;
    }
    return quote_string(text.substr(0, end)) + "...";
}

}  // namespace

Token classify_word(std::string_view word) {
    Token token;
    token.kind = word.find(':') == std::string_view::npos ? TokenKind::kIdentifier
                                                          : TokenKind::kMetricIdentifier;
    if (word.size() > kKeywordBytesMax) {
        return token;
    }
    std::string lower(word);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const auto* keyword = std::find_if(kKeywords.begin(), kKeywords.end(),
                                       [&](const Keyword& entry) { return entry.word == lower; });
    if (keyword != kKeywords.end()) {
        token.kind = keyword->kind;
        return token;
    }
    const auto* aggregator =
        std::find_if(kAggregators.begin(), kAggregators.end(),
                     [&](AggregateOperator op) { return to_string(op) == lower; });
    if (aggregator != kAggregators.end()) {
        token.kind = TokenKind::kAggregator;
        token.aggregator = *aggregator;
    }
    return token;
}

std::string describe(const Token& token) {
    const std::string text(token.text);
    switch (token.kind) {
        case TokenKind::kError:
            return "error " + token.error;
        case TokenKind::kEnd:
            return "end of input";
        case TokenKind::kIdentifier:
            return "identifier " + quote_string(text);
        case TokenKind::kMetricIdentifier:
            return "metric identifier " + quote_string(text);
        case TokenKind::kString:
            return "string " + quote_shortened(text);
        case TokenKind::kNumber:
            return "number " + quote_shortened(text);
        case TokenKind::kDuration:
            return "duration " + quote_shortened(text);
        case TokenKind::kHistogramKey:
            return "histogram key " + quote_shortened(text);
        case TokenKind::kCounterResetHint:
            return "counter reset hint " + quote_shortened(text);
        case TokenKind::kAggregator:
            return "<aggr:" + text + ">";
        default:
            break;
    }
    if (in_range(token.kind, TokenKind::kBool, TokenKind::kAnchored)) {
        return "<" + text + ">";
    }
    if (in_range(token.kind, TokenKind::kAdd, TokenKind::kAtan2)) {
        return "<op:" + text + ">";
    }
    return quote_shortened(text);
}

bool may_name_metric(TokenKind kind) {
    switch (kind) {
        case TokenKind::kIdentifier:
        case TokenKind::kMetricIdentifier:
        case TokenKind::kAggregator:
        case TokenKind::kBy:
        case TokenKind::kWithout:
        case TokenKind::kAnd:
        case TokenKind::kOr:
        case TokenKind::kUnless:
        case TokenKind::kFill:
        case TokenKind::kFillLeft:
        case TokenKind::kFillRight:
        case TokenKind::kOffset:
        case TokenKind::kSmoothed:
        case TokenKind::kAnchored:
            return true;
        default:
            return in_range(kind, TokenKind::kStart, TokenKind::kMinOf);
    }
}

bool may_name_label(TokenKind kind) {
    switch (kind) {
        case TokenKind::kWithout:
            return false;
        case TokenKind::kBool:
        case TokenKind::kOn:
        case TokenKind::kIgnoring:
        case TokenKind::kGroupLeft:
        case TokenKind::kGroupRight:
        case TokenKind::kAtan2:
            return true;
        default:
            return may_name_metric(kind);
    }
}

}  // namespace kpid::promql
