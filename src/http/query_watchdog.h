#pragma once
// Stops queries that take too long.

#include "kpid/base/mutex.h"
#include "net/task_group.h"
#include "net/timers.h"

#include <atomic>
#include <list>
#include <optional>
#include <stop_token>

namespace kpid::http {

/// Knows the running queries and their deadlines; a task looks every kTick. Thread-safe.
class QueryWatchdog {
public:
    static constexpr Duration kTick = std::chrono::milliseconds(50);

    explicit QueryWatchdog(net::Timers& timers) : timers_(timers) {}

    /// A running query: its stop token is set when the deadline has passed or `gone` asks for it,
    /// which is when nobody waits for the answer any more. Ends its watch when it dies.
    class Watch {
    public:
        Watch(QueryWatchdog& owner, MonoTime deadline, const std::stop_token& gone = {});
        ~Watch();
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        [[nodiscard]] std::stop_token token() const { return entry_->source.get_token(); }
        /// The deadline has passed: known to the query once its token is set.
        [[nodiscard]] bool expired() const { return entry_->expired; }

    private:
        friend class QueryWatchdog;
        struct Entry {
            MonoTime deadline;
            std::stop_source source;
            std::atomic<bool> expired = false;
        };
        struct StopQuery {
            std::stop_source source;
            void operator()() { source.request_stop(); }
        };
        QueryWatchdog& owner_;
        std::list<Entry>::iterator entry_;
        std::optional<std::stop_callback<StopQuery>> on_gone_;
    };

    /// Looks until it is cancelled; to be spawned once.
    [[nodiscard]] net::Task<> run();
    [[nodiscard]] const Clock& clock() const { return timers_.clock(); }

private:
    void stop_expired();

    net::Timers& timers_;
    Mutex mutex_;
    std::list<Watch::Entry> running_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::http
