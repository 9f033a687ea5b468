#pragma once
// The queue in front of the committer, and whose turn it is to be the committer.

#include "kpid/base/mutex.h"
#include "storage/group_commit.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace kpid::storage {

/// One of the waiting callers at a time is the committer: it takes what waits as one group, hands
/// it to the GroupCommitter and wakes the others. So a caller that is alone changes no thread, and
/// what it has just looked at is still near its processor.
class Committer {
public:
    /// All borrowed.
    Committer(const StorageOptions& options, GroupCommitter& work);
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// Blocks until the batch is durable and readable, or failed; kResourceExhausted when the queue
    /// is full.
    [[nodiscard]] Result<void> commit(PreparedBatch& batch);
    /// Calls `task` as the committer, between two groups. Never refused.
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
    [[nodiscard]] Result<void> enqueue(Request& request) KPID_EXCLUDES(mutex_);
    /// The group that this caller is to work on; empty once its own request is done.
    [[nodiscard]] std::vector<Request*> wait_for_turn(Request& request) KPID_EXCLUDES(mutex_);
    [[nodiscard]] std::vector<Request*> take_group() KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> work_on(std::span<Request* const> group);
    void finish(std::span<Request* const> group, const Result<void>& outcome) KPID_EXCLUDES(mutex_);
    [[nodiscard]] MonoTime now() const;

    const StorageOptions& options_;
    GroupCommitter& work_;

    mutable Mutex mutex_;
    std::deque<Request*> queue_ KPID_GUARDED_BY(mutex_);
    std::size_t queued_samples_ KPID_GUARDED_BY(mutex_) = 0;
    bool is_working_ KPID_GUARDED_BY(mutex_) = false;  ///< A caller is the committer.
    Result<void> health_ KPID_GUARDED_BY(mutex_);
    std::atomic<std::uint64_t> queue_refusals_ = 0;
    std::atomic<std::int64_t> commit_time_ = 0;  // nanoseconds

    std::vector<PreparedBatch*> batches_;  // the committer's
};

}  // namespace kpid::storage
