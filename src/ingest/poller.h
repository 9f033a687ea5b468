#pragma once
// Polls one thing at its interval and knows how it went.

#include "ingest/poll_task.h"
#include "ingest/schedule.h"
#include "kpid/base/mutex.h"
#include "net/task_group.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace kpid::ingest {

struct PollerOptions {
    std::string source;  ///< The source's id or the scrape job's name: names it in metrics and log.
    std::string address;  ///< What is polled, for the log; may be empty.
    Duration interval{0};
    std::uint64_t hash = 0;  ///< Spreads pollers over the interval.
};

/// How the newest polls went. Health before the first poll is unknown.
struct PollStatus {
    bool polled = false;
    bool up = false;
    bool answered = false;  ///< It was up at least once.
    std::string last_error;
    Timestamp last_poll;
    std::chrono::nanoseconds last_duration{0};
};

/// Operation: start() begins the rounds: one at a time; of what comes due meanwhile one round is
/// made up for at once. An error is logged when it changes, not at each round. Concurrency: the
/// rounds are on the strand; start, stop, join and take_over come one at a time; status() may be
/// asked for from any thread. stop() and join() before it dies.
class Poller {
public:
    /// Called on the strand after each round that counts.
    using OnPolled = std::function<void(const std::string& source)>;

    Poller(const net::Strand& strand, Environment& environment, PollerOptions options,
           std::unique_ptr<PollTask> task, OnPolled on_polled);

    void start();
    /// No round is recorded after this.
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

    /// Before start(): goes on where another, which has ended, left off.
    void take_over(Poller& other);
    /// After join(), on a worker: marks its series stale.
    [[nodiscard]] Result<void> end(Timestamp at) { return task_->end(at); }

    [[nodiscard]] PollStatus status() const;
    [[nodiscard]] SourceNotes notes() const { return task_->notes(); }
    [[nodiscard]] MetadataList metadata() const { return task_->metadata(); }
    [[nodiscard]] const std::string& source() const { return options_.source; }

private:
    net::Task<> run();
    void record(const Result<void>& outcome, Timestamp at, MonoTime started);
    void log_change(const Result<void>& outcome, const PollStatus& before) const;

    Environment& environment_;
    const PollerOptions options_;
    const Schedule schedule_;
    const std::unique_ptr<PollTask> task_;
    const OnPolled on_polled_;
    std::atomic<bool> stopped_{false};

    mutable Mutex mutex_;
    PollStatus status_ KPID_GUARDED_BY(mutex_);

    net::TaskGroup tasks_;
};

}  // namespace kpid::ingest
