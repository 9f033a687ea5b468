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

/// The duration, cut to milliseconds. kInvalidArgument on a division by zero, for what is beyond
/// any time, and for what is not above zero where `may_be_negative` is not set; the message begins
/// with the place in bytes: `4:10: division by zero`.
[[nodiscard]] Result<Duration> evaluate_duration(const DurationExpr& expr,
                                                 const DurationScope& scope, bool may_be_negative);

}  // namespace kpid::promql
