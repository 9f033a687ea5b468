#pragma once
// Threads for work that blocks or takes long, behind a bounded queue.

#include "kpid/base/executor.h"
#include "kpid/base/mutex.h"
#include "kpid/base/result.h"
#include "net/task.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace kpid::net {

/// Cores that this process may run on, at least 1: those of its affinity mask, not the machine's.
[[nodiscard]] std::size_t usable_cores();

struct WorkerPoolOptions {
    std::size_t threads = 2;  ///< 0: every task runs at once on the caller's thread (simulations).
    std::size_t queue_max =
        1024;  ///< Tasks that wait; one more is refused with kResourceExhausted.
    /// Threads that take part in one parallel_for, the caller's counted: more than there are cores
    /// would only wake each other.
    std::size_t parallel_max = usable_cores();
};

/// A task that is of use only until `gone` is set.
struct AbandonableTask {
    std::function<void()> run;
    std::function<void()> drop = nullptr;  ///< Called instead of `run` when it is given up; short.
    std::stop_token gone = {};
};

/// Runs tasks on its own threads, first in first out. Thread-safe. The destructor runs what is
/// queued, then joins. Tasks must not throw.
class WorkerPool final : public Executor {
public:
    explicit WorkerPool(WorkerPoolOptions options = {});
    ~WorkerPool() override;
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Queues the task, or Code::kResourceExhausted when the queue is full (counted in refused()).
    [[nodiscard]] Result<void> try_execute(std::function<void()> task);
    /// The same. When the queue is full, waiting tasks that nobody wants any more give their places
    /// up; their drop() is called here.
    [[nodiscard]] Result<void> try_execute(AbandonableTask task);
    /// Queues the task; when the queue is full the caller's thread runs it. Never call it on an I/O
    /// thread.
    void execute(std::function<void()> task) override;
    [[nodiscard]] bool offer(const std::function<void()>& task) override;
    void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) override;
    [[nodiscard]] std::size_t concurrency() const override {
        return threads_.empty() ? 1 : threads_.size();
    }

    [[nodiscard]] std::size_t queued() const;
    [[nodiscard]] std::uint64_t refused() const;

private:
    void work();
    /// Waits; null when the pool closes and nothing is left.
    [[nodiscard]] std::function<void()> take();
    [[nodiscard]] bool push(AbandonableTask& task);
    /// Takes out of a full queue what nobody waits for.
    [[nodiscard]] std::vector<AbandonableTask> take_abandoned() KPID_REQUIRES(mutex_);

    const WorkerPoolOptions options_;
    mutable Mutex mutex_;
    CondVar wake_;
    std::deque<AbandonableTask> queue_ KPID_GUARDED_BY(mutex_);
    std::uint64_t refused_ KPID_GUARDED_BY(mutex_) = 0;
    bool closing_ KPID_GUARDED_BY(mutex_) = false;
    std::vector<std::thread> threads_;
};

namespace detail {

template <class T>
struct OffloadValue {
    using Type = Result<T>;
};
template <class T>
struct OffloadValue<Result<T>> {
    using Type = Result<T>;
};

/// The function and what it gave back; shared by the task and the worker.
template <class F>
struct OffloadSlot {
    using Value = typename OffloadValue<std::invoke_result_t<F&>>::Type;
    explicit OffloadSlot(F f) : function(std::move(f)) {}
    void run() {
        if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
            function();
            result.emplace();
        } else {
            result.emplace(function());
        }
    }
    F function;
    std::optional<Value> result;
};

/// Runs `work` on the pool and resumes on the caller's strand when it has returned. An exception of
/// `work` becomes Code::kInternal.
[[nodiscard]] Task<Result<void>> offload_erased(WorkerPool* pool, std::function<void()> work,
                                                std::stop_token gone);

template <class F>
[[nodiscard]] Task<typename OffloadSlot<F>::Value> offload(WorkerPool* pool, F function,
                                                           std::stop_token gone) {
    const auto slot = std::make_shared<OffloadSlot<F>>(std::move(function));
    std::function<void()> work = [slot] { slot->run(); };
    Result<void> done = co_await offload_erased(pool, std::move(work), std::move(gone));
    if (!done) {
        co_return std::move(done).error();
    }
    co_return std::move(*slot->result);
}

}  // namespace detail

/// Runs a blocking function on the pool and resumes on the caller's strand with what it gave back:
/// for a function that returns Result<T> or T, a Result<T>. A full queue: Code::kResourceExhausted.
/// An exception: Code::kInternal. `gone` set while it waits in a full queue: it may be given up,
/// Code::kCancelled. A cancelled caller still waits for the function's end, so it may
/// borrow what the caller keeps alive.
///
///     auto answer = co_await offload(pool, [&engine, query] { return engine.run(query); });
template <class F>
[[nodiscard]] Task<typename detail::OffloadSlot<F>::Value> offload(WorkerPool& pool, F function,
                                                                   std::stop_token gone = {}) {
    return detail::offload(&pool, std::move(function), std::move(gone));
}

}  // namespace kpid::net
