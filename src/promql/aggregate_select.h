#pragma once
// Aggregations that pick series (topk, bottomk, limitk, limit_ratio) or count values.

#include "promql/evaluator.h"

namespace kpid::promql {

/// The input's rows with only the values that the operator picks at each step; `parameter` is k, or
/// the ratio.
[[nodiscard]] Result<Rows> select_members(Evaluator& evaluator, const AggregateExpr& aggregate,
                                          Rows input, const ScalarColumn& parameter,
                                          const Steps& steps);

/// For each group and value how often it occurs; the value becomes the label `label`.
[[nodiscard]] Result<Rows> count_values(Evaluator& evaluator, const AggregateExpr& aggregate,
                                        const Rows& input, const std::string& label,
                                        const Steps& steps);

}  // namespace kpid::promql
