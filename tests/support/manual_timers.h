#pragma once
// Timers on the manual clock, and an event loop that a test turns by hand.

#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "net/completion.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "support/manual_clock.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace kpid::testing {

/// Wakes sleepers by (deadline, order of their coming), only when told to. Thread-safe.
class ManualTimers final : public net::Timers {
public:
    explicit ManualTimers(const ManualClock& clock) : clock_(clock) {}

    [[nodiscard]] net::Task<Result<void>> sleep_until(MonoTime deadline) override {
        const net::Strand strand = co_await net::asio::this_coro::executor;
        if (deadline <= clock_.mono_now()) {
            co_return Result<void>();
        }
        const auto alarm = std::make_shared<net::Completion>(strand);
        const Registration registration(this, deadline, alarm);
        const bool rang = co_await alarm->wait();
        if (!rang) {
            co_return Error{Code::kCancelled, "cancelled"};
        }
        co_return Result<void>();
    }
    [[nodiscard]] const Clock& clock() const override { return clock_; }

    /// When the next sleeper wants to wake; nothing when none sleeps.
    [[nodiscard]] std::optional<MonoTime> next_deadline() const {
        const MutexLock lock(mutex_);
        return sleepers_.empty() ? std::nullopt
                                 : std::optional<MonoTime>(sleepers_.begin()->first.first);
    }
    /// Wakes the first sleeper whose deadline is reached; false when there is none.
    bool wake_next() {
        const MutexLock lock(mutex_);
        if (sleepers_.empty() || sleepers_.begin()->first.first > clock_.mono_now()) {
            return false;
        }
        sleepers_.begin()->second->signal();
        sleepers_.erase(sleepers_.begin());
        return true;
    }
    /// How many sleep.
    [[nodiscard]] std::size_t size() const {
        const MutexLock lock(mutex_);
        return sleepers_.size();
    }

private:
    using Key = std::pair<MonoTime, std::uint64_t>;

    // A sleeper's entry; it goes when the sleeper is cancelled.
    class Registration {
    public:
        Registration(ManualTimers* owner, MonoTime deadline,
                     const std::shared_ptr<net::Completion>& alarm)
            : owner_(owner) {
            const MutexLock lock(owner_->mutex_);
            key_ = Key(deadline, owner_->next_sequence_++);
            owner_->sleepers_.emplace(key_, alarm);
        }
        ~Registration() {
            const MutexLock lock(owner_->mutex_);
            owner_->sleepers_.erase(key_);
        }
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;

    private:
        ManualTimers* owner_;
        Key key_;
    };

    const ManualClock& clock_;
    mutable Mutex mutex_;
    std::uint64_t next_sequence_ KPID_GUARDED_BY(mutex_) = 0;
    std::map<Key, std::shared_ptr<net::Completion>> sleepers_ KPID_GUARDED_BY(mutex_);
};

/// One thread, the test's: nothing runs but in run_until_idle() and advance(), in one order always.
///
///     SimRuntime sim;
///     sim.tasks().spawn("loop", loop(&sim.timers()));
///     sim.run_until_idle();
///     sim.advance(15s);
class SimRuntime {
public:
    SimRuntime()
        : timers_(clock_), strand_(net::asio::make_strand(io_)), tasks_(strand_, Logger()) {}
    /// Stops the tasks.
    ~SimRuntime() {
        tasks_.stop();
        run_until_idle();
    }
    SimRuntime(const SimRuntime&) = delete;
    SimRuntime& operator=(const SimRuntime&) = delete;

    /// Runs until nothing is ready; time stands still.
    void run_until_idle() {
        do {
            io_.restart();
        } while (io_.poll() > 0);
    }
    /// Moves the time on by `span`, stopping at each sleeper's deadline to let it run.
    void advance(Duration span) {
        run_until_idle();
        const MonoTime end = clock_.mono_now() + span;
        for (;;) {
            while (timers_.wake_next()) {
                run_until_idle();
            }
            const std::optional<MonoTime> next = timers_.next_deadline();
            if (!next || *next > end) {
                break;
            }
            clock_.advance(std::chrono::ceil<Duration>(*next - clock_.mono_now()));
        }
        clock_.advance(std::chrono::floor<Duration>(end - clock_.mono_now()));
        run_until_idle();
    }
    /// Runs the task until it ends or waits for time or another; its value when it ended.
    template <class T>
    [[nodiscard]] std::optional<T> run(net::Task<T> task) {
        const auto slot = std::make_shared<std::optional<T>>();
        tasks_.spawn("run", store(slot, std::move(task)));
        run_until_idle();
        return std::move(*slot);
    }

    [[nodiscard]] ManualClock& clock() { return clock_; }
    [[nodiscard]] ManualTimers& timers() { return timers_; }
    [[nodiscard]] net::asio::io_context& io_context() { return io_; }
    [[nodiscard]] net::Strand make_strand() { return net::asio::make_strand(io_); }
    [[nodiscard]] net::TaskGroup& tasks() { return tasks_; }

private:
    template <class T>
    static net::Task<> store(std::shared_ptr<std::optional<T>> slot, net::Task<T> task) {
        T value = co_await std::move(task);
        slot->emplace(std::move(value));
    }

    ManualClock clock_;
    ManualTimers timers_;
    net::asio::io_context io_;
    const net::Strand strand_;
    net::TaskGroup tasks_;
};

}  // namespace kpid::testing
