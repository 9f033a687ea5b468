#pragma once
// A one-shot event that one task waits for and any thread signals.

#include "net/task.h"

#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace kpid::net {

/// Make it with std::make_shared on the waiting task's strand; whoever signals keeps a copy of the
/// pointer.
class Completion : public std::enable_shared_from_this<Completion> {
public:
    explicit Completion(const Strand& strand);
    /// Wakes the waiter, on its strand, never inline. Thread-safe; the first call counts.
    void signal();
    /// On the strand, once: true when it was signalled, false when the waiting task was cancelled.
    [[nodiscard]] Task<bool> wait();

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>, Strand>;
    // Owned by the strand.
    Timer timer_;
    bool signalled_ = false;
};

}  // namespace kpid::net
