#pragma once
// A clock that stands still until the test moves it.

#include "kpid/base/clock.h"

#include <atomic>

namespace kpid::testing {

/// Thread-safe. Wall and monotonic time move together by advance(); set_wall() makes the wall time
/// jump.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Timestamp start = Timestamp(1'800'000'000'000)) : wall_ms_(start.ms()) {}

    [[nodiscard]] Timestamp wall_now() const override { return Timestamp(wall_ms_.load()); }
    [[nodiscard]] MonoTime mono_now() const override {
        return MonoTime(std::chrono::milliseconds(mono_ms_.load()));
    }
    void advance(Duration d) {
        wall_ms_ += d.count();
        mono_ms_ += d.count();
    }
    void set_wall(Timestamp t) { wall_ms_ = t.ms(); }

private:
    std::atomic<std::int64_t> wall_ms_;
    std::atomic<std::int64_t> mono_ms_{1'000'000};
};

}  // namespace kpid::testing
