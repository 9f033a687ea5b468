// Deadlines of running queries.
#include "http/query_watchdog.h"

namespace kpid::http {

QueryWatchdog::Watch::Watch(QueryWatchdog& owner, MonoTime deadline) : owner_(owner) {
    const MutexLock lock(owner_.mutex_);
    entry_ = owner_.running_.insert(owner_.running_.end(), Entry{deadline, {}});
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
            entry.source.request_stop();
        }
    }
}

}  // namespace kpid::http
