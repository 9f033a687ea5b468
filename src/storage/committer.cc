#include "storage/committer.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::storage {
namespace {

// A group is closed when it has this many samples or batches; the rest is the next one.
constexpr std::size_t kGroupSamplesMax = 500'000;
constexpr std::size_t kGroupBatchesMax = 1024;

}  // namespace

Committer::Committer(const StorageOptions& options, GroupCommitter& work)
    : options_(options), work_(work) {
}

Result<void> Committer::commit(PreparedBatch& batch) {
    Request request;
    request.batch = &batch;
    return wait_for(request);
}

Result<void> Committer::run_alone(const std::function<Result<void>()>& task) {
    Request request;
    request.task = &task;
    return wait_for(request);
}

Result<void> Committer::wait_for(Request& request) {
    KPID_CHECK_OK(enqueue(request));
    for (std::vector<Request*> group = wait_for_turn(request); !group.empty();
         group = wait_for_turn(request)) {
        finish(group, work_on(group));
    }
    return std::move(request.outcome);
}

Result<void> Committer::enqueue(Request& request) {
    const MutexLock lock(mutex_);
    if (request.batch != nullptr && (queue_.size() >= options_.queue_batches_max ||
                                     queued_samples_ >= options_.queue_samples_max)) {
        ++queue_refusals_;
        return resource_exhausted(
            fmt::format("the storage's queue is full: {} batches with {} samples wait",
                        queue_.size(), queued_samples_));
    }
    if (request.batch != nullptr) {
        queued_samples_ += request.batch->places.size();
    }
    queue_.push_back(&request);
    return {};
}

std::vector<Committer::Request*> Committer::wait_for_turn(Request& request) {
    const MutexLock lock(mutex_);
    while (!request.done && is_working_) {
        request.wake.wait(mutex_);
    }
    if (request.done) {
        return {};
    }
    is_working_ = true;
    return take_group();
}

std::vector<Committer::Request*> Committer::take_group() {
    std::vector<Request*> group;
    std::size_t samples = 0;
    while (!queue_.empty() && group.size() < kGroupBatchesMax && samples < kGroupSamplesMax) {
        Request* next = queue_.front();
        const bool alone = next->batch == nullptr;
        if (alone && !group.empty()) {
            break;
        }
        queue_.pop_front();
        group.push_back(next);
        if (alone) {
            break;
        }
        samples += next->batch->places.size();
    }
    queued_samples_ -= samples;
    return group;
}

Result<void> Committer::work_on(std::span<Request* const> group) {
    if (group.front()->batch == nullptr) {
        return (*group.front()->task)();
    }
    batches_.clear();
    for (const Request* request : group) {
        batches_.push_back(request->batch);
    }
    const MonoTime begin = now();
    Result<void> outcome = work_.commit(batches_);
    commit_time_ += std::chrono::nanoseconds(now() - begin).count();
    return outcome;
}

void Committer::finish(std::span<Request* const> group, const Result<void>& outcome) {
    const MutexLock lock(mutex_);
    health_ = work_.health();
    for (Request* request : group) {
        request->outcome = outcome;
        request->done = true;
        // With the lock held: the caller may destroy the request as soon as it is released.
        request->wake.notify_one();
    }
    is_working_ = false;
    if (!queue_.empty()) {
        queue_.front()->wake.notify_one();
    }
}

Committer::Waiting Committer::waiting() const {
    const MutexLock lock(mutex_);
    return {queue_.size(), queued_samples_};
}

MonoTime Committer::now() const {
    return options_.clock != nullptr ? options_.clock->mono_now() : MonoTime();
}

Result<void> Committer::health() const {
    const MutexLock lock(mutex_);
    return health_;
}

}  // namespace kpid::storage
