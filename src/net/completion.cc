// The one-shot event: a timer that never expires and is cancelled to wake its waiter.

#include "net/completion.h"

#include "net/token.h"

#include <boost/asio/post.hpp>

namespace kpid::net {

Completion::Completion(const Strand& strand) : timer_(strand, Timer::time_point::max()) {
}

void Completion::signal() {
    asio::post(timer_.get_executor(), [self = shared_from_this()] {
        self->signalled_ = true;
        self->timer_.cancel();
    });
}

Task<bool> Completion::wait() {
    const auto self = shared_from_this();
    if (!self->signalled_) {
        const auto [failure] = co_await self->timer_.async_wait(kToken);
        // Both ways to wake cancel the wait; the flag tells them apart.
        static_cast<void>(failure);
    }
    co_return self->signalled_;
}

}  // namespace kpid::net
