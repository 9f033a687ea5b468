#pragma once
// The one source of time for everything above the pure core.

#include "kpid/base/time.h"

#include <chrono>

namespace kpid {

/// An instant that never jumps; only differences mean something.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// Tells the time. Thread-safe. Borrowed by everything that needs it; outlives all of them.
class Clock {
public:
    virtual ~Clock() = default;
    /// The time of day, for timestamps. May jump.
    [[nodiscard]] virtual Timestamp wall_now() const = 0;
    /// For deadlines and measuring. Never goes back.
    [[nodiscard]] virtual MonoTime mono_now() const = 0;
};

/// The operating system's clocks.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Timestamp wall_now() const override;
    [[nodiscard]] MonoTime mono_now() const override;
};

}  // namespace kpid
