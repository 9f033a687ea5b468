#pragma once
// A signal that one task of a strand waits for, again and again.

#include "net/completion.h"
#include "net/with_deadline.h"

#include <memory>
#include <utility>

namespace kpid::notify {

/// Arm it, then wait; what is signalled between the two is not missed. Owned by the strand.
///
///     while (queue.empty()) {
///         const std::shared_ptr<net::Completion> armed = wake.arm();
///         const bool woken = co_await armed->wait();
///         ...
class Wake {
public:
    explicit Wake(net::Strand strand) : strand_(std::move(strand)) {}

    [[nodiscard]] std::shared_ptr<net::Completion> arm() {
        armed_ = std::make_shared<net::Completion>(strand_);
        return armed_;
    }
    void signal() {
        if (const auto armed = std::exchange(armed_, nullptr)) {
            armed->signal();
        }
    }

private:
    const net::Strand strand_;
    std::shared_ptr<net::Completion> armed_;
};

/// Waits for the signal: kDeadlineExceeded when it did not come until then, kCancelled when the
/// task is.
[[nodiscard]] net::Task<Result<void>> wait_until(net::Timers& timers, MonoTime deadline,
                                                 std::shared_ptr<net::Completion> armed);

}  // namespace kpid::notify
