#pragma once
// The process's signals as an awaitable.

#include "kpid/base/result.h"
#include "net/task.h"

#include <boost/asio/signal_set.hpp>

namespace kpid::net {

/// Catches SIGTERM, SIGINT and SIGHUP from its construction on; one of it in a process.
class Signals {
public:
    explicit Signals(const Strand& strand);
    /// The number of the next signal; those that come between two calls are kept. Code::kCancelled
    /// when the task is cancelled.
    [[nodiscard]] Task<Result<int>> next();

private:
    asio::basic_signal_set<Strand> signals_;
};

}  // namespace kpid::net
