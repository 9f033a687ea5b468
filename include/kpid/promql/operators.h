#pragma once
// The operators of PromQL and how two vectors find each other.

#include <string_view>

namespace kpid::promql {

enum class BinaryOperator {
    kAdd,
    kSub,
    kMul,
    kDiv,
    kMod,
    kPow,
    kAtan2,
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kAnd,
    kOr,
    kUnless,
    kTrimUpper,  ///< `</`, on native histograms.
    kTrimLower,  ///< `>/`, on native histograms.
};
/// As PromQL writes it: "+", "==", "and", …
[[nodiscard]] std::string_view to_string(BinaryOperator op);
[[nodiscard]] bool is_comparison(BinaryOperator op);
[[nodiscard]] bool is_set_operator(BinaryOperator op);

enum class MatchCardinality { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
/// "one-to-one", …
[[nodiscard]] std::string_view to_string(MatchCardinality cardinality);

enum class UnaryOperator { kPlus, kMinus };

enum class AggregateOperator {
    kSum,
    kAvg,
    kCount,
    kMin,
    kMax,
    kGroup,
    kStddev,
    kStdvar,
    kTopk,
    kBottomk,
    kCountValues,
    kQuantile,
    kLimitk,
    kLimitRatio,
};
/// As PromQL writes it: "sum", "count_values", …
[[nodiscard]] std::string_view to_string(AggregateOperator op);
/// True for topk, bottomk, count_values, quantile, limitk, limit_ratio.
[[nodiscard]] bool takes_parameter(AggregateOperator op);

/// What durations are computed with; step() and range() are the query's own.
enum class DurationOperator { kAdd, kSub, kMul, kDiv, kMod, kPow, kStep, kRange, kMinOf, kMaxOf };

}  // namespace kpid::promql
