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
#include <memory>

namespace kpid::evaluate {

/// Runs units on the executor. Each unit is evaluated at instants that are aligned to its interval,
/// with an offset by the hash of its name (as Prometheus spreads rule groups), and at once when
/// requested. Requests that come while it runs become one more run. At most kInFlightMax
/// evaluations are handed to the executor; the rest wait here, each unit at most once. Instants
/// that passed while a unit was running are skipped and counted.
///
/// Thread-safe. stop() and join() before it dies.
class Scheduler {
public:
    static constexpr std::size_t kInFlightMax = 4;

    /// A unit's place in the schedule. Opaque; shared by the scheduler and whoever asks for runs.
    struct Slot;
    using SlotPtr = std::shared_ptr<Slot>;

    Scheduler(net::Strand strand, net::Timers& timers, Executor& executor, Metrics& metrics,
              Logger log);

    /// Begins to evaluate: once at once, then by interval.
    [[nodiscard]] SlotPtr add(std::shared_ptr<Unit> unit);
    /// Asks for an evaluation at `at` (the later of all that are asked for before it runs).
    void request(const SlotPtr& slot, Timestamp at, MonoTime cause_accepted_at);
    /// The same at a later instant; `at` is then the time of day.
    void request_later(const SlotPtr& slot, MonoTime when, MonoTime cause_accepted_at);
    /// The interval changed: begins anew with it.
    void reschedule(const SlotPtr& slot);
    /// One last evaluation, then never again.
    void retire(const SlotPtr& slot);

    /// Starts no more evaluations by interval; what runs goes on.
    void stop();
    /// Waits for the timers' tasks and for evaluations that run; false when the deadline came
    /// first.
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

private:
    net::Task<> tick(SlotPtr slot, std::uint64_t generation);
    net::Task<> wait_and_request(SlotPtr slot, MonoTime when, MonoTime cause_accepted_at);
    void enqueue(const SlotPtr& slot);
    void pump();
    void run(const SlotPtr& slot);

    net::Timers& timers_;
    Executor& executor_;
    Metrics& metrics_;
    const Logger log_;

    Mutex mutex_;
    std::deque<SlotPtr> waiting_ KPID_GUARDED_BY(mutex_);
    std::size_t in_flight_ KPID_GUARDED_BY(mutex_) = 0;
    bool stopped_ KPID_GUARDED_BY(mutex_) = false;

    net::TaskGroup tasks_;
};

/// The last instant not after `now` that is aligned to `interval` with an offset by `name`'s hash.
[[nodiscard]] Timestamp aligned_before(Timestamp now, Duration interval, std::string_view name);

}  // namespace kpid::evaluate
