// Starting, cancelling and joining tasks.

#include "net/task_group.h"

#include "kpid/base/assert.h"
#include "net/completion.h"
#include "net/token.h"
#include "net/with_deadline.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <exception>

namespace kpid::net {
namespace {

// What escaped a task; nothing for the exception of a cancelled one.
std::optional<Error> error_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) {
            return std::nullopt;
        }
        return internal_error(error.what());
    } catch (const std::exception& error) {
        return internal_error(error.what());
    } catch (...) {
        return internal_error("an exception of unknown type");
    }
}

}  // namespace

struct TaskGroup::Child {
    explicit Child(const Strand& s) : strand(s) {}
    const Strand strand;
    asio::cancellation_signal signal;  // owned by the strand
};

TaskGroup::TaskGroup(Strand strand, Logger log, OnFailure on_failure)
    : strand_(std::move(strand)), log_(std::move(log)), on_failure_(std::move(on_failure)) {
}

TaskGroup::~TaskGroup() {
    // Whoever owns a group joins it first: a task that is left would use what dies now.
    KPID_ASSERT(size() == 0);
}

bool TaskGroup::spawn(std::string name, Task<> task) {
    return spawn_on(strand_, std::move(name), std::move(task));
}

bool TaskGroup::spawn_on(const Strand& strand, std::string name, Task<> task) {
    const auto child = std::make_shared<Child>(strand);
    const MutexLock lock(mutex_);
    if (closed_) {
        return false;
    }
    const std::uint64_t id = next_id_++;
    children_.emplace(id, child);
    // Posted under the lock, so that the emit of a later stop() comes behind the start on the
    // strand.
    asio::post(strand, [this, id, child, name = std::move(name), task = std::move(task)]() mutable {
        auto on_end = [this, id, child, name = std::move(name)](const std::exception_ptr& failure) {
            finished(id, name, failure);
        };
        asio::co_spawn(
            child->strand, std::move(task),
            asio::bind_executor(child->strand, asio::bind_cancellation_slot(child->signal.slot(),
                                                                            std::move(on_end))));
    });
    return true;
}

void TaskGroup::close() {
    const MutexLock lock(mutex_);
    closed_ = true;
}

void TaskGroup::stop() {
    const MutexLock lock(mutex_);
    closed_ = true;
    for (const auto& [id, child] : children_) {
        asio::post(child->strand,
                   [child] { child->signal.emit(asio::cancellation_type::terminal); });
    }
}

Task<bool> TaskGroup::join(Timers& timers, MonoTime deadline) {
    return join_until(&timers, deadline);
}

Task<bool> TaskGroup::join_until(Timers* timers, MonoTime deadline) {
    Task<Result<void>> empty = wait_empty();
    const Result<void> joined = co_await with_deadline(*timers, deadline, std::move(empty));
    co_return joined.has_value();
}

Task<Result<void>> TaskGroup::wait_empty() {
    const Strand strand = co_await asio::this_coro::executor;
    const auto empty = std::make_shared<Completion>(strand);
    {
        const MutexLock lock(mutex_);
        if (children_.empty()) {
            co_return Result<void>();
        }
        joiners_.push_back(empty);
    }
    const bool signalled = co_await empty->wait();
    if (!signalled) {
        co_return Error{Code::kCancelled, "join was cancelled"};
    }
    co_return Result<void>();
}

void TaskGroup::finished(std::uint64_t id, const std::string& name,
                         const std::exception_ptr& failure) {
    if (failure) {
        if (const std::optional<Error> error = error_of(failure)) {
            log_.error("task failed", {{"task", name}, {"error", error->message}});
            if (on_failure_) {
                on_failure_(name, *error);
            }
        }
    }
    std::vector<std::shared_ptr<Completion>> joiners;
    const MutexLock lock(mutex_);
    children_.erase(id);
    if (children_.empty()) {
        joiners.swap(joiners_);
    }
    // Under the lock: after the last child is gone and the lock is free, the group may die.
    for (const std::shared_ptr<Completion>& joiner : joiners) {
        joiner->signal();
    }
}

std::size_t TaskGroup::size() const {
    const MutexLock lock(mutex_);
    return children_.size();
}

}  // namespace kpid::net
