#pragma once
// Where a benchmark ran.

#include <string>

namespace kpid::bench {

/// Processor, cores, kernel and load, for a benchmark's first line: figures from different
/// machines, or beside other work, do not compare.
[[nodiscard]] std::string describe_machine();

}  // namespace kpid::bench
