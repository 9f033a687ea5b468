// Waiting on the operating system's timers.

#include "net/timers.h"

#include "net/token.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace kpid::net {
namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Strand>;
// One wait's longest time, so that a far deadline cannot overflow the timer's arithmetic.
constexpr std::chrono::hours kWaitMax{24};

}  // namespace

Task<Result<void>> AsioTimers::sleep_until(MonoTime deadline) {
    const Strand strand = co_await asio::this_coro::executor;
    Timer timer(strand);
    for (MonoTime now = clock_.mono_now(); now < deadline; now = clock_.mono_now()) {
        const std::chrono::nanoseconds wait =
            deadline - kWaitMax < now ? deadline - now : std::chrono::nanoseconds(kWaitMax);
        timer.expires_after(wait);
        const auto [failure] = co_await timer.async_wait(kToken);
        if (failure) {
            co_return to_error(failure, "sleep");
        }
    }
    co_return Result<void>();
}

}  // namespace kpid::net
