// Deadlines of running queries.
#include "http/query_watchdog.h"

#include <iterator>

namespace kpid::http {

QueryWatchdog::Watch::Watch(QueryWatchdog& owner, MonoTime deadline, const std::stop_token& gone)
    : owner_(owner) {
    {
        const MutexLock lock(owner_.mutex_);
        owner_.running_.emplace_back();
        entry_ = std::prev(owner_.running_.end());
        entry_->deadline = deadline;
    }
    on_gone_.emplace(gone, StopQuery{entry_->source});
}

QueryWatchdog::Watch::~Watch() {
    const MutexLock lock(owner_.mutex_);
    owner_.running_.erase(entry_);
}

net::Task<> QueryWatchdog::run() {
    for (;;) {
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(kTick));
        if (!slept) {
            co_return;
        }
        stop_expired();
    }
}

void QueryWatchdog::stop_expired() {
    const MonoTime now = timers_.clock().mono_now();
    const MutexLock lock(mutex_);
    for (Watch::Entry& entry : running_) {
        if (entry.deadline <= now) {
            entry.expired = true;
            entry.source.request_stop();
        }
    }
}

}  // namespace kpid::http
