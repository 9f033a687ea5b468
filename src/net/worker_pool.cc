// The worker threads and their queue.

#include "net/worker_pool.h"

#include "kpid/base/assert.h"
#include "net/token.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <thread>

namespace kpid::net {
namespace {

// One parallel_for: who takes part takes the next index until none is left.
struct ParallelLoop {
    ParallelLoop(std::size_t n, const std::function<void(std::size_t)>* b) : count(n), body(b) {}
    void take_part() {
        std::size_t done = 0;
        for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
            (*body)(i);
            ++done;
        }
        if (done > 0) {
            const MutexLock lock(mutex);
            finished += done;
            wake.notify_all();
        }
    }
    void wait() {
        const MutexLock lock(mutex);
        while (finished < count) {
            wake.wait(mutex);
        }
    }
    const std::size_t count;
    const std::function<void(std::size_t)>* const body;  // valid until finished == count
    std::atomic<std::size_t> next = 0;
    Mutex mutex;
    CondVar wake;
    std::size_t finished KPID_GUARDED_BY(mutex) = 0;
};

}  // namespace

std::size_t usable_cores() {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    const bool is_known = ::sched_getaffinity(0, sizeof mask, &mask) == 0;
    const std::size_t cores =
        is_known ? static_cast<std::size_t>(CPU_COUNT(&mask)) : std::thread::hardware_concurrency();
    return std::max<std::size_t>(1, cores);
}

WorkerPool::WorkerPool(WorkerPoolOptions options) : options_(options) {
    for (std::size_t i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

WorkerPool::~WorkerPool() {
    {
        const MutexLock lock(mutex_);
        closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

std::vector<AbandonableTask> WorkerPool::take_abandoned() {
    const auto first = std::stable_partition(
        queue_.begin(), queue_.end(),
        [](const AbandonableTask& task) { return !task.gone.stop_requested(); });
    std::vector<AbandonableTask> abandoned(std::make_move_iterator(first),
                                           std::make_move_iterator(queue_.end()));
    queue_.erase(first, queue_.end());
    return abandoned;
}

bool WorkerPool::push(AbandonableTask& task) {
    std::vector<AbandonableTask> abandoned;
    bool has_room = false;
    {
        const MutexLock lock(mutex_);
        if (queue_.size() >= options_.queue_max) {
            abandoned = take_abandoned();
        }
        has_room = queue_.size() < options_.queue_max;
        if (has_room) {
            queue_.push_back(std::move(task));
        }
    }
    if (has_room) {
        wake_.notify_one();
    }
    for (const AbandonableTask& one : abandoned) {
        one.drop();
    }
    return has_room;
}

Result<void> WorkerPool::try_execute(std::function<void()> task) {
    return try_execute(AbandonableTask{.run = std::move(task)});
}

Result<void> WorkerPool::try_execute(AbandonableTask task) {
    // A task that can be given up says how.
    KPID_ASSERT(task.drop != nullptr || !task.gone.stop_possible());
    if (options_.threads == 0) {
        task.run();
        return {};
    }
    if (push(task)) {
        return {};
    }
    const MutexLock lock(mutex_);
    ++refused_;
    return resource_exhausted("the worker queue is full");
}

bool WorkerPool::offer(const std::function<void()>& task) {
    return try_execute(task).has_value();
}

void WorkerPool::execute(std::function<void()> task) {
    AbandonableTask wrapped{.run = std::move(task)};
    if (options_.threads == 0 || !push(wrapped)) {
        wrapped.run();
    }
}

void WorkerPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
    const std::size_t wanted = std::min(count, std::max<std::size_t>(1, options_.parallel_max));
    const std::size_t helpers = wanted == 0 ? 0 : std::min(threads_.size(), wanted - 1);
    if (helpers == 0) {
        for (std::size_t i = 0; i < count; ++i) {
            body(i);
        }
        return;
    }
    const auto loop = std::make_shared<ParallelLoop>(count, &body);
    for (std::size_t i = 0; i < helpers; ++i) {
        AbandonableTask help{.run = [loop] { loop->take_part(); }};
        if (!push(help)) {
            break;  // the caller does it alone
        }
    }
    loop->take_part();
    loop->wait();
}

std::size_t WorkerPool::queued() const {
    const MutexLock lock(mutex_);
    return queue_.size();
}

std::uint64_t WorkerPool::refused() const {
    const MutexLock lock(mutex_);
    return refused_;
}

std::function<void()> WorkerPool::take() {
    const MutexLock lock(mutex_);
    while (queue_.empty() && !closing_) {
        wake_.wait(mutex_);
    }
    if (queue_.empty()) {
        return nullptr;
    }
    std::function<void()> task = std::move(queue_.front().run);
    queue_.pop_front();
    return task;
}

void WorkerPool::work() {
    while (const std::function<void()> task = take()) {
        task();
    }
}

namespace detail {
namespace {

using OffloadToken = asio::use_awaitable_t<Strand>;

// Runs the work and gives its outcome to the waiting coroutine, on that one's strand.
template <class Handler>
class OffloadTask {
public:
    OffloadTask(std::function<void()> work, Handler handler)
        : work_(std::move(work)),
          handler_(std::move(handler)),
          guard_(asio::make_work_guard(handler_)) {}

    void run() {
        Error failure;
        try {
            work_();
        } catch (const std::exception& error) {
            failure.message = error.what();
        } catch (...) {
            failure.message = "an exception of unknown type";
        }
        work_ = nullptr;
        finish(std::move(failure));
    }

    /// An empty message is success.
    void finish(Error failure) {
        const auto executor = asio::get_associated_executor(handler_);
        asio::post(executor,
                   [handler = std::move(handler_), failure = std::move(failure)]() mutable {
                       std::move(handler)(std::move(failure));
                   });
        guard_.reset();
    }

private:
    std::function<void()> work_;
    Handler handler_;
    decltype(asio::make_work_guard(std::declval<const Handler&>())) guard_;
};

}  // namespace

Task<Result<void>> offload_erased(WorkerPool* pool, std::function<void()> work,
                                  std::stop_token gone) {
    auto start = [](auto handler, WorkerPool* workers, std::function<void()> function,
                    std::stop_token unwanted) {
        using Handler = decltype(handler);
        const auto task =
            std::make_shared<OffloadTask<Handler>>(std::move(function), std::move(handler));
        Result<void> queued = workers->try_execute(
            {.run = [task] { task->run(); },
             .drop = [task] { task->finish({Code::kCancelled, "nobody waits for it any more"}); },
             .gone = std::move(unwanted)});
        if (!queued) {
            task->finish(std::move(queued).error());
        }
    };
    OffloadToken token;
    const Error failure = co_await asio::async_initiate<OffloadToken, void(Error)>(
        start, token, pool, std::move(work), std::move(gone));
    if (!failure.message.empty()) {
        co_return failure;
    }
    co_return Result<void>();
}

}  // namespace detail
}  // namespace kpid::net
