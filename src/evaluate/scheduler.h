#pragma once
// When units are evaluated: by their interval, and when somebody asks.

#include "evaluate/metrics.h"
#include "evaluate/unit.h"
#include "kpid/base/executor.h"
#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "net/task_group.h"
#include "net/timers.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

namespace kpid::evaluate {

/// Runs units on the executor. Each unit is evaluated at instants that are aligned to its interval,
/// with an offset by the hash of its name (as Prometheus spreads rule groups), and at once when
/// requested. Requests that come while it runs become one more run. Of the instants that pass while
/// a unit waits or runs only the newest is evaluated; the others are counted as missed. At most
/// kInFlightMax evaluations are handed to the executor; the rest wait here, each unit at most once.
///
/// Thread-safe. stop() and join() before it dies.
class Scheduler {
public:
    static constexpr std::size_t kInFlightMax = 4;
    /// How soon the executor is tried again when it had no room.
    static constexpr Duration kExecutorRetry = std::chrono::milliseconds(10);
    /// How soon a removed unit whose end could not be handed over is evaluated again.
    static constexpr Duration kRemovalRetry = std::chrono::seconds(5);
    /// An instant that was asked for may lie ahead of the time of day by this much; one that lies
    /// further ahead is forgotten with the next request: the time of day was set back.
    static constexpr Duration kAheadMax = std::chrono::minutes(10);

    /// A unit's place in the schedule. Opaque; shared by the scheduler and whoever asks for runs.
    struct Slot;
    using SlotPtr = std::shared_ptr<Slot>;
    /// Asked when the time of a delayed request has come: the instant to evaluate at (the time of
    /// day when that is later), or nothing when no evaluation is wanted any more.
    using OnDue = std::function<std::optional<Timestamp>()>;

    Scheduler(net::Strand strand, net::Timers& timers, Executor& executor, Metrics& metrics,
              Logger log);

    /// Begins to evaluate: once at once, then by interval.
    [[nodiscard]] SlotPtr add(std::shared_ptr<Unit> unit);
    /// Asks for an evaluation at `at` (the later of all that are asked for before it runs).
    void request(const SlotPtr& slot, Timestamp at, MonoTime cause_accepted_at);
    /// The same, decided at the instant `when`.
    void request_later(const SlotPtr& slot, MonoTime when, MonoTime cause_accepted_at,
                       OnDue on_due);
    /// The interval changed: begins anew with it.
    void reschedule(const SlotPtr& slot);
    /// No more evaluations by interval; evaluated until it is gone, then never again.
    void retire(const SlotPtr& slot);
    /// Undoes retire(); false when the unit is gone already.
    [[nodiscard]] bool revive(const SlotPtr& slot);

    /// Starts no more evaluations; what runs goes on.
    void stop();
    /// Waits for the timers' tasks and for evaluations that run; false when the deadline came
    /// first.
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

private:
    net::Task<> tick(SlotPtr slot, std::uint64_t generation);
    net::Task<> wait_and_request(SlotPtr slot, MonoTime when, MonoTime cause_accepted_at,
                                 OnDue on_due);
    net::Task<> wait_and_pump();
    void request_tick(const SlotPtr& slot, Timestamp at);
    void enqueue(const SlotPtr& slot);
    void pump();
    void run(const SlotPtr& slot);
    [[nodiscard]] bool finish_run(const SlotPtr& slot);

    net::Timers& timers_;
    Executor& executor_;
    Metrics& metrics_;
    const Logger log_;

    Mutex mutex_;
    std::deque<SlotPtr> waiting_ KPID_GUARDED_BY(mutex_);
    std::size_t in_flight_ KPID_GUARDED_BY(mutex_) = 0;
    bool pump_later_ KPID_GUARDED_BY(mutex_) = false;
    bool stopped_ KPID_GUARDED_BY(mutex_) = false;

    net::TaskGroup tasks_;
};

/// The last instant not after `now` that is aligned to `interval` with an offset by `name`'s hash.
[[nodiscard]] Timestamp aligned_before(Timestamp now, Duration interval, std::string_view name);

}  // namespace kpid::evaluate
