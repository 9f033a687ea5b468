#pragma once
// The queue in front of the committer, and its thread.

#include "kpid/base/mutex.h"
#include "storage/group_commit.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace kpid::storage {

/// Takes what waits as one group, hands it to the GroupCommitter on its own thread and wakes the
/// callers.
class Committer {
public:
    /// All borrowed. The thread starts here.
    Committer(const StorageOptions& options, GroupCommitter& work);
    /// Finishes what waits, then joins the thread.
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// Blocks until the batch is durable and readable, or failed; kResourceExhausted when the queue
    /// is full.
    [[nodiscard]] Result<void> commit(PreparedBatch& batch);
    /// Calls `task` on the committer's thread, between two groups, and waits for it. Never refused.
    [[nodiscard]] Result<void> run_alone(const std::function<Result<void>()>& task);

    /// The error of the last write, if it failed.
    [[nodiscard]] Result<void> health() const;
    [[nodiscard]] std::uint64_t queue_refusals() const { return queue_refusals_; }
    struct Waiting {
        std::size_t batches = 0;
        std::size_t samples = 0;
    };
    [[nodiscard]] Waiting waiting() const;
    [[nodiscard]] std::chrono::nanoseconds commit_time() const {
        return std::chrono::nanoseconds(commit_time_);
    }

private:
    /// Lies on the waiting caller's stack.
    struct Request {
        PreparedBatch* batch = nullptr;  // or
        const std::function<Result<void>()>* task = nullptr;
        Result<void> outcome;
        bool done = false;
        CondVar wake;
    };

    [[nodiscard]] Result<void> wait_for(Request& request);
    [[nodiscard]] std::vector<Request*> take_group();
    [[nodiscard]] MonoTime now() const;
    void run();

    const StorageOptions& options_;
    GroupCommitter& work_;

    mutable Mutex mutex_;
    CondVar work_waits_;
    std::deque<Request*> queue_ KPID_GUARDED_BY(mutex_);
    std::size_t queued_samples_ KPID_GUARDED_BY(mutex_) = 0;
    bool closing_ KPID_GUARDED_BY(mutex_) = false;
    Result<void> health_ KPID_GUARDED_BY(mutex_);
    std::atomic<std::uint64_t> queue_refusals_ = 0;
    std::atomic<std::int64_t> commit_time_ = 0;  // nanoseconds

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace kpid::storage
