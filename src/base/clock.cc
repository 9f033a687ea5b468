#include "kpid/base/clock.h"

namespace kpid {

Timestamp SystemClock::wall_now() const {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp(std::chrono::floor<Duration>(since_epoch).count());
}

MonoTime SystemClock::mono_now() const {
    return std::chrono::steady_clock::now();
}

}  // namespace kpid
