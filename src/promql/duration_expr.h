#pragma once
// Durations that are computed: `[5m * 2]`, `offset step()`.

#include "kpid/base/result.h"
#include "kpid/promql/ast.h"

namespace kpid::promql {

/// What `step()` and `range()` stand for.
struct DurationScope {
    Duration step{0};
    Duration range{0};
};

/// The duration, rounded to milliseconds; kUnprocessable on a division by zero or beyond any time.
[[nodiscard]] Result<Duration> evaluate_duration(const DurationExpr& expr,
                                                 const DurationScope& scope);

}  // namespace kpid::promql
