#pragma once
// Compares what a query gave with what a script expects.

#include "kpid/promql/engine.h"
#include "promql/script.h"

#include <string>

namespace kpid::promql::testing {

/// Each is empty when all is as expected, else says what is not, in one line.
[[nodiscard]] std::string check_result(const Evaluation& evaluation, const QueryResult& result);
[[nodiscard]] std::string check_failure(const Evaluation& evaluation, const Error& error);
/// The value alone, without annotations.
[[nodiscard]] std::string check_value(const Evaluation& evaluation, const Value& value);
/// The same for the step `middle` of a range query on an expression of this type: no order is
/// expected there.
[[nodiscard]] std::string check_middle(const Evaluation& evaluation, const Value& matrix,
                                       Timestamp middle, ValueType type);

}  // namespace kpid::promql::testing
