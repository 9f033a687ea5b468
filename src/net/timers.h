#pragma once
// Waiting for an instant, on the injected clock.

#include "kpid/base/clock.h"
#include "net/task.h"

namespace kpid::net {

/// Suspends tasks. Implementations: AsioTimers (the daemon), testing::ManualTimers. Thread-safe;
/// borrowed by everything that waits, outlives all of it.
class Timers {
public:
    virtual ~Timers() = default;
    /// Resumes the caller on its strand when the monotonic clock has reached `deadline`; at once
    /// when it is past. Code::kCancelled when the task is cancelled.
    [[nodiscard]] virtual Task<Result<void>> sleep_until(MonoTime deadline) = 0;
    /// The clock that the deadlines are read on.
    [[nodiscard]] virtual const Clock& clock() const = 0;

    /// The instant `wait` from now.
    [[nodiscard]] MonoTime after(Duration wait) const { return clock().mono_now() + wait; }
};

/// Timers of the operating system.
class AsioTimers final : public Timers {
public:
    explicit AsioTimers(const Clock& clock) : clock_(clock) {}
    [[nodiscard]] Task<Result<void>> sleep_until(MonoTime deadline) override;
    [[nodiscard]] const Clock& clock() const override { return clock_; }

private:
    const Clock& clock_;
};

}  // namespace kpid::net
