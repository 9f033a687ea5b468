// The schedule of units: aligned ticks, requests, one run at a time.
#include "evaluate/scheduler.h"

#include "kpid/base/hash.h"

#include <algorithm>
#include <utility>

namespace kpid::evaluate {

struct Scheduler::Slot {
    explicit Slot(std::shared_ptr<Unit> the_unit) : unit(std::move(the_unit)) {}

    const std::shared_ptr<Unit> unit;

    Mutex mutex;
    bool queued KPID_GUARDED_BY(mutex) = false;  // waits or runs
    bool again KPID_GUARDED_BY(mutex) = false;   // asked for while queued
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
    {
        const MutexLock lock(slot->mutex);
        if (slot->retired) {
            return;
        }
        slot->at = std::max(slot->at, at);
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

void Scheduler::request_later(const SlotPtr& slot, MonoTime when, MonoTime cause_accepted_at) {
    tasks_.spawn("delayed " + slot->unit->name(), wait_and_request(slot, when, cause_accepted_at));
}

void Scheduler::retire(const SlotPtr& slot) {
    request(slot, timers_.clock().wall_now(), MonoTime{});
    const MutexLock lock(slot->mutex);
    slot->retired = true;
    ++slot->generation;
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
    Timestamp last = aligned_before(timers_.clock().wall_now(), interval, slot->unit->name());
    for (;;) {
        const Timestamp now = timers_.clock().wall_now();
        const Timestamp current = aligned_before(now, interval, slot->unit->name());
        if (current > last + interval) {
            metrics_.missed.Increment(static_cast<double>((current - last) / interval - 1));
        }
        // The wall clock may have jumped back: then the schedule begins anew from there.
        last = current;
        const Timestamp next = current + interval;
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(next - now));
        if (!slept) {
            co_return;
        }
        {
            const MutexLock lock(slot->mutex);
            if (slot->generation != generation) {
                co_return;
            }
        }
        request(slot, next, MonoTime{});
    }
}

net::Task<> Scheduler::wait_and_request(SlotPtr slot, MonoTime when, MonoTime cause_accepted_at) {
    const Result<void> slept = co_await timers_.sleep_until(when);
    if (slept) {
        request(slot, timers_.clock().wall_now(), cause_accepted_at);
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
            if (waiting_.empty() || in_flight_ >= kInFlightMax) {
                return;
            }
            slot = std::move(waiting_.front());
            waiting_.pop_front();
            ++in_flight_;
        }
        executor_.execute([this, slot] { run(slot); });
    }
}

void Scheduler::run(const SlotPtr& slot) {
    Timestamp at;
    MonoTime cause;
    {
        const MutexLock lock(slot->mutex);
        slot->again = false;
        at = slot->at;
        cause = std::exchange(slot->cause, MonoTime{});
    }
    const MonoTime started = timers_.clock().mono_now();
    slot->unit->evaluate(at, cause);
    const std::chrono::duration<double> took = timers_.clock().mono_now() - started;
    metrics_.evaluation_duration.Observe(took.count());
    bool again = false;
    {
        const MutexLock lock(slot->mutex);
        again = slot->again;
        slot->queued = again;
    }
    if (again) {
        enqueue(slot);
    }
    {
        const MutexLock lock(mutex_);
        --in_flight_;
    }
    pump();
}

}  // namespace kpid::evaluate
