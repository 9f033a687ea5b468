// Waiting with a deadline.
#include "notify/wake.h"

namespace kpid::notify {
namespace {

net::Task<Result<void>> wait_for(std::shared_ptr<net::Completion> armed) {
    const bool woken = co_await armed->wait();
    if (!woken) {
        co_return Error{Code::kCancelled, "cancelled"};
    }
    co_return Result<void>();
}

net::Task<Result<void>> wait_with(net::Timers* timers, MonoTime deadline,
                                  std::shared_ptr<net::Completion> armed) {
    Result<void> woken = co_await net::with_deadline(*timers, deadline, wait_for(std::move(armed)));
    co_return woken;
}

}  // namespace

net::Task<Result<void>> wait_until(net::Timers& timers, MonoTime deadline,
                                   std::shared_ptr<net::Completion> armed) {
    return wait_with(&timers, deadline, std::move(armed));
}

}  // namespace kpid::notify
