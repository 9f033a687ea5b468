#pragma once
// The types that PromQL expressions have.

#include <string_view>

namespace kpid::promql {

enum class ValueType { kNone, kScalar, kVector, kMatrix, kString };

/// "none", "scalar", "vector", "matrix", "string", as the HTTP API writes them.
[[nodiscard]] std::string_view to_string(ValueType type);
/// As error messages name them: "instant vector", "range vector", else as to_string.
[[nodiscard]] std::string_view documented_name(ValueType type);

}  // namespace kpid::promql
