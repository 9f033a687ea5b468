#pragma once
// The daemon's event loop on threads of its own, for tests that use real sockets.

#include "kpid/base/clock.h"
#include "kpid/base/log.h"
#include "net/runtime.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "net/worker_pool.h"

#include <future>
#include <memory>
#include <optional>
#include <utility>

namespace kpid::testing {

/// Two I/O threads, two workers, system time. The destructor stops the tasks.
class NetFixture {
public:
    NetFixture() : timers_(clock_), tasks_(runtime_.make_strand(), Logger()) {
        runtime_.start_threads(2);
    }
    ~NetFixture() {
        tasks_.stop();
        std::promise<bool> joined;
        enders_.emplace(runtime_.make_strand(), Logger());
        enders_->spawn("join", deliver(&joined, tasks_.join(timers_, MonoTime::max())));
        static_cast<void>(joined.get_future().get());
        drain();
    }
    NetFixture(const NetFixture&) = delete;
    NetFixture& operator=(const NetFixture&) = delete;

    /// Runs the task on a strand of its own and blocks until it ends.
    template <class T>
    T wait(net::Task<T> task) {
        return start(std::move(task)).get();
    }
    /// Starts it and hands back the future of its value; a broken promise when it was cancelled.
    template <class T>
    std::future<T> start(net::Task<T> task) {
        auto promise = std::make_shared<std::promise<T>>();
        std::future<T> future = promise->get_future();
        tasks_.spawn_on(runtime_.make_strand(), "test",
                        deliver_shared(std::move(promise), std::move(task)));
        return future;
    }

    [[nodiscard]] net::Runtime& runtime() { return runtime_; }
    [[nodiscard]] net::AsioTimers& timers() { return timers_; }
    [[nodiscard]] net::WorkerPool& workers() { return workers_; }
    [[nodiscard]] net::TaskGroup& tasks() { return tasks_; }
    [[nodiscard]] const Clock& clock() const { return clock_; }

private:
    template <class T>
    static net::Task<> deliver(std::promise<T>* promise, net::Task<T> task) {
        T value = co_await std::move(task);
        promise->set_value(std::move(value));
    }
    template <class T>
    static net::Task<> deliver_shared(std::shared_ptr<std::promise<T>> promise, net::Task<T> task) {
        T value = co_await std::move(task);
        promise->set_value(std::move(value));
    }
    // The joining task itself ends a little after it told so.
    void drain() {
        while (enders_->size() > 0) {
            std::this_thread::yield();
        }
    }

    SystemClock clock_;
    net::Runtime runtime_;
    net::AsioTimers timers_;
    net::WorkerPool workers_;
    net::TaskGroup tasks_;
    std::optional<net::TaskGroup> enders_;
};

}  // namespace kpid::testing
