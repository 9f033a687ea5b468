#pragma once
// The words of PromQL.

#include "kpid/promql/ast.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::promql {

enum class TokenKind {
    kError,  ///< The text is wrong here; the last token.
    kEnd,    ///< The end of the text; comes again and again.

    kIdentifier,
    kMetricIdentifier,  ///< An identifier with colons.
    kNumber,
    kDuration,
    kString,
    kComma,
    kColon,
    kEqual,
    kLeftBrace,
    kRightBrace,
    kLeftBracket,
    kRightBracket,
    kLeftParen,
    kRightParen,

    // Only in series descriptions.
    kBlank,
    kTimes,
    kSpace,
    kOpenHistogram,
    kCloseHistogram,
    kHistogramKey,
    kCounterResetHint,

    // Operators; also the matching of labels and `@`.
    kAdd,
    kSub,
    kMul,
    kDiv,
    kMod,
    kPow,
    kEqualEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kTrimUpper,
    kTrimLower,
    kRegexEqual,
    kRegexNotEqual,
    kAt,
    kAnd,
    kOr,
    kUnless,
    kAtan2,

    kAggregator,  ///< Any; Token::aggregator says which.

    // Keywords.
    kBool,
    kBy,
    kWithout,
    kOn,
    kIgnoring,
    kGroupLeft,
    kGroupRight,
    kFill,
    kFillLeft,
    kFillRight,
    kOffset,
    kSmoothed,
    kAnchored,

    // Words that stand for values of the query.
    kStart,
    kEndKeyword,
    kStep,
    kRange,
    kMaxOf,
    kMinOf,
};

struct Token {
    TokenKind kind = TokenKind::kEnd;
    Position position;
    std::string_view text;  ///< Of the input, as written.
    AggregateOperator aggregator = AggregateOperator::kSum;
    std::string error;  ///< For kError: what is wrong.
};

/// The keyword, aggregator, named operator or named number that a word is, in any case; else an
/// identifier. Position and text are left to the caller.
[[nodiscard]] Token classify_word(std::string_view word);

/// As messages name the token: `identifier "x"`, `<op:+>`, `<by>`, `end of input`.
[[nodiscard]] std::string describe(const Token& token);

/// Words of a kind that may be the name of a metric where an operand is expected.
[[nodiscard]] bool may_name_metric(TokenKind kind);
/// Words of a kind that may be a label in by(…), on(…) and their like.
[[nodiscard]] bool may_name_label(TokenKind kind);

}  // namespace kpid::promql
