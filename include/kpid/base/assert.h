#pragma once
// Invariants of our own code, checked in every build; input, peers and disks get a Result.

namespace kpid::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}  // namespace kpid::detail

/// Ends the process with the place when `condition` does not hold. One condition each.
#define KPID_ASSERT(condition)    \
    (static_cast<bool>(condition) \
         ? void()                 \
         : ::kpid::detail::assertion_failed(#condition, __FILE__, __LINE__))

/// KPID_ASSERT in debug builds only; for hot loops.
#ifdef NDEBUG
#define KPID_DCHECK(condition) (void())
#else
#define KPID_DCHECK(condition) KPID_ASSERT(condition)
#endif
