#pragma once
// How commands end: exit codes and errors.

#include "kpid/base/result.h"

namespace kpid::ctl {

inline constexpr int kExitFine = 0;
inline constexpr int kExitFinding = 1;
inline constexpr int kExitUsage = 2;

/// Prints the error to standard error; the exit code that belongs to it.
[[nodiscard]] int report_error(const Error& error);

}  // namespace kpid::ctl
