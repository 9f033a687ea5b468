#pragma once
// The order in which people list names: "cpu2" before "cpu10".

#include <string_view>

namespace kpid::promql {

/// Negative, zero or positive. Runs of digits compare as numbers, all else byte by byte; texts that
/// are alike but for leading zeros compare as bytes.
[[nodiscard]] int compare_naturally(std::string_view a, std::string_view b);

}  // namespace kpid::promql
