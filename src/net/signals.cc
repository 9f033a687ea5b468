// Waiting for the process's signals.

#include "net/signals.h"

#include "net/token.h"

#include <csignal>

namespace kpid::net {

Signals::Signals(const Strand& strand) : signals_(strand, SIGTERM, SIGINT, SIGHUP) {
}

Task<Result<int>> Signals::next() {
    const auto [failure, number] = co_await signals_.async_wait(kToken);
    if (failure) {
        co_return to_error(failure, "signal");
    }
    co_return number;
}

}  // namespace kpid::net
