// The schedule of units: aligned ticks, requests, one run at a time.
#include "evaluate/scheduler.h"

#include "kpid/base/hash.h"

#include <algorithm>
#include <utility>

namespace kpid::evaluate {
namespace {

// A timer that wakes a little early or late is no jump of the wall clock.
constexpr Duration kClockSlack = std::chrono::seconds(1);

}  // namespace

struct Scheduler::Slot {
    explicit Slot(std::shared_ptr<Unit> the_unit) : unit(std::move(the_unit)) {}

    const std::shared_ptr<Unit> unit;

    Mutex mutex;
    bool queued KPID_GUARDED_BY(mutex) = false;    // waits or runs
    bool again KPID_GUARDED_BY(mutex) = false;     // asked for since the last run began
    bool tick_due KPID_GUARDED_BY(mutex) = false;  // an aligned instant passed since then
    bool retiring KPID_GUARDED_BY(mutex) = false;
    bool retired KPID_GUARDED_BY(mutex) = false;
    Timestamp at KPID_GUARDED_BY(mutex);
    MonoTime cause KPID_GUARDED_BY(mutex);
    std::uint64_t generation KPID_GUARDED_BY(mutex) = 0;
};

Timestamp aligned_before(Timestamp now, Duration interval, std::string_view name) {
    const std::int64_t step = interval.count();
    const auto offset =
        static_cast<std::int64_t>(hash_bytes(name) % static_cast<std::uint64_t>(step));
    const std::int64_t shifted = now.ms() - offset;
    const std::int64_t remainder = ((shifted % step) + step) % step;
    return Timestamp(shifted - remainder + offset);
}

Scheduler::Scheduler(net::Strand strand, net::Timers& timers, Executor& executor, Metrics& metrics,
                     Logger log)
    : timers_(timers),
      executor_(executor),
      metrics_(metrics),
      log_(std::move(log)),
      tasks_(std::move(strand), log_) {
}

Scheduler::SlotPtr Scheduler::add(std::shared_ptr<Unit> unit) {
    auto slot = std::make_shared<Slot>(std::move(unit));
    request(slot, timers_.clock().wall_now(), MonoTime{});
    tasks_.spawn("evaluate " + slot->unit->name(), tick(slot, 0));
    return slot;
}

void Scheduler::reschedule(const SlotPtr& slot) {
    std::uint64_t generation = 0;
    {
        const MutexLock lock(slot->mutex);
        generation = ++slot->generation;
    }
    tasks_.spawn("evaluate " + slot->unit->name(), tick(slot, generation));
}

void Scheduler::request(const SlotPtr& slot, Timestamp at, MonoTime cause_accepted_at) {
    const Timestamp now = timers_.clock().wall_now();
    {
        const MutexLock lock(slot->mutex);
        if (slot->retired) {
            return;
        }
        const bool clock_went_back = slot->at > now + kAheadMax;
        slot->at = clock_went_back ? at : std::max(slot->at, at);
        // The oldest cause counts: it has waited longest.
        if (slot->cause == MonoTime{} ||
            (cause_accepted_at != MonoTime{} && cause_accepted_at < slot->cause)) {
            slot->cause = cause_accepted_at;
        }
        slot->again = true;
        if (std::exchange(slot->queued, true)) {
            return;
        }
    }
    enqueue(slot);
}

void Scheduler::request_tick(const SlotPtr& slot, Timestamp at) {
    {
        const MutexLock lock(slot->mutex);
        if (std::exchange(slot->tick_due, true)) {
            metrics_.missed.Increment();
        }
    }
    request(slot, at, MonoTime{});
}

void Scheduler::request_later(const SlotPtr& slot, MonoTime when, MonoTime cause_accepted_at,
                              OnDue on_due) {
    tasks_.spawn("delayed " + slot->unit->name(),
                 wait_and_request(slot, when, cause_accepted_at, std::move(on_due)));
}

void Scheduler::retire(const SlotPtr& slot) {
    {
        const MutexLock lock(slot->mutex);
        slot->retiring = true;
        ++slot->generation;
    }
    request(slot, timers_.clock().wall_now(), MonoTime{});
}

bool Scheduler::revive(const SlotPtr& slot) {
    {
        const MutexLock lock(slot->mutex);
        if (slot->retired) {
            return false;
        }
        slot->retiring = false;
    }
    reschedule(slot);
    request(slot, timers_.clock().wall_now(), MonoTime{});
    return true;
}

void Scheduler::stop() {
    {
        const MutexLock lock(mutex_);
        stopped_ = true;
        waiting_.clear();
    }
    tasks_.stop();
}

net::Task<bool> Scheduler::join(MonoTime deadline) {
    const bool tasks_ended = co_await tasks_.join(timers_, deadline);
    for (;;) {
        bool idle = false;
        {
            const MutexLock lock(mutex_);
            idle = in_flight_ == 0;
        }
        if (idle) {
            co_return tasks_ended;
        }
        const MonoTime next = timers_.after(std::chrono::milliseconds(10));
        if (next > deadline) {
            co_return false;
        }
        const Result<void> slept = co_await timers_.sleep_until(next);
        if (!slept) {
            co_return false;
        }
    }
}

net::Task<> Scheduler::tick(SlotPtr slot, std::uint64_t generation) {
    const Duration interval = slot->unit->interval();
    const std::string& name = slot->unit->name();
    Timestamp next = aligned_before(timers_.clock().wall_now(), interval, name) + interval;
    for (;;) {
        const Duration wait = next - timers_.clock().wall_now();
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(wait));
        if (!slept) {
            co_return;
        }
        {
            const MutexLock lock(slot->mutex);
            if (slot->generation != generation) {
                co_return;
            }
        }
        const Timestamp now = timers_.clock().wall_now();
        const Duration late = now - next;
        if (late >= interval) {
            metrics_.missed.Increment(static_cast<double>(late / interval));
        }
        if (late >= interval || late < -kClockSlack) {
            // Long delayed, or the time of day was set: the schedule begins anew from there.
            next = aligned_before(now, interval, name);
        }
        request_tick(slot, next);
        next = next + interval;
    }
}

net::Task<> Scheduler::wait_and_request(SlotPtr slot, MonoTime when, MonoTime cause_accepted_at,
                                        OnDue on_due) {
    const Result<void> slept = co_await timers_.sleep_until(when);
    if (!slept) {
        co_return;
    }
    const std::optional<Timestamp> at = on_due();
    if (at) {
        request(slot, std::max(*at, timers_.clock().wall_now()), cause_accepted_at);
    }
}

void Scheduler::enqueue(const SlotPtr& slot) {
    {
        const MutexLock lock(mutex_);
        if (stopped_) {
            return;
        }
        waiting_.push_back(slot);
    }
    pump();
}

void Scheduler::pump() {
    for (;;) {
        SlotPtr slot;
        {
            const MutexLock lock(mutex_);
            if (waiting_.empty() || in_flight_ >= kInFlightMax || pump_later_) {
                return;
            }
            slot = std::move(waiting_.front());
            waiting_.pop_front();
            ++in_flight_;
        }
        if (executor_.offer([this, slot] { run(slot); })) {
            continue;
        }
        {
            const MutexLock lock(mutex_);
            --in_flight_;
            if (stopped_) {
                return;
            }
            waiting_.push_front(slot);
            pump_later_ = true;
        }
        tasks_.spawn("wait for the executor", wait_and_pump());
        return;
    }
}

net::Task<> Scheduler::wait_and_pump() {
    const Result<void> slept = co_await timers_.sleep_until(timers_.after(kExecutorRetry));
    {
        const MutexLock lock(mutex_);
        pump_later_ = false;
    }
    if (slept) {
        pump();
    }
}

void Scheduler::run(const SlotPtr& slot) {
    Timestamp at;
    MonoTime cause;
    {
        const MutexLock lock(slot->mutex);
        slot->again = false;
        slot->tick_due = false;
        at = slot->at;
        cause = std::exchange(slot->cause, MonoTime{});
    }
    const MonoTime started = timers_.clock().mono_now();
    slot->unit->evaluate(at, cause);
    const std::chrono::duration<double> took = timers_.clock().mono_now() - started;
    metrics_.evaluation_duration.Observe(took.count());
    if (finish_run(slot)) {
        enqueue(slot);
    }
    {
        const MutexLock lock(mutex_);
        --in_flight_;
    }
    pump();
}

// True: it was asked for again meanwhile.
bool Scheduler::finish_run(const SlotPtr& slot) {
    bool retry_removal = false;
    bool again = false;
    {
        const MutexLock lock(slot->mutex);
        if (slot->retiring) {
            slot->retired = slot->unit->gone();
            retry_removal = !slot->retired && !slot->again;
        }
        again = slot->again && !slot->retired;
        slot->queued = again;
    }
    if (retry_removal) {
        request_later(slot, timers_.after(kRemovalRetry), MonoTime{},
                      [] { return std::optional(Timestamp()); });
    }
    return again;
}

}  // namespace kpid::evaluate
