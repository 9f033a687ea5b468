#pragma once
// The signatures of PromQL's functions: what the parser checks calls against. What a function does
// is the engine's side.

#include "kpid/promql/value_type.h"

#include <span>
#include <string_view>

namespace kpid::promql {

/// One function. The table's entries live for the whole program.
struct FunctionSignature {
    std::string_view name;
    /// The types of the arguments, the optional ones included.
    std::span<const ValueType> arguments;
    /// 0: exactly these arguments. n > 0: the last one may be missing, or stand up to n times. -1:
    /// the last one may be missing, or stand any number of times.
    int variadic = 0;
    ValueType returns = ValueType::kVector;
    /// Refused unless ParseOptions::experimental_functions.
    bool experimental = false;
};

/// The function of this name (case matters), or nullptr. Knows every function of Prometheus 3.
[[nodiscard]] const FunctionSignature* find_function(std::string_view name);

}  // namespace kpid::promql
