#pragma once
// Compares what a query gave with what a script expects.

#include "promql/script_runner.h"

#include <string>

namespace kpid::promql::testing {

/// Empty when all is as expected, else what is not.
[[nodiscard]] std::string check_result(const Evaluation& evaluation, const QueryResult& result);
[[nodiscard]] std::string check_failure(const Evaluation& evaluation, const Error& error);
/// Whether the middle of the three steps of `matrix` says what the instant query said.
[[nodiscard]] std::string check_middle(const Value& instant, const Value& matrix, Timestamp middle);

}  // namespace kpid::promql::testing
