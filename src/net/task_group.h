#pragma once
// Structured concurrency: every task of the daemon is a child of exactly one group.

#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "net/task.h"
#include "net/timers.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::net {

class Completion;

/// Owns running tasks. Make it the last member of the object its tasks use, and stop and join it
/// before that object dies.
///
///     TaskGroup tasks{strand, log, on_failure};
///     tasks.spawn("scrape", scrape_loop(this));
///     ...
///     tasks.stop();
///     const bool all_ended = co_await tasks.join(timers, timers.after(10s));
///
/// Operation: a task that ends removes itself. An exception that escapes a task is logged with its
/// name and handed to on_failure; the one that a cancelled task ends with is neither. Thread-safe:
/// spawn and stop may be called anywhere; each child's cancellation signal is emitted only on its
/// own strand. The destructor asserts that no task is left.
class TaskGroup {
public:
    /// Called on the failed task's strand. Must not throw and must not destroy the group.
    using OnFailure = std::function<void(std::string_view name, const Error& error)>;

    TaskGroup(Strand strand, Logger log, OnFailure on_failure = {});
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts `task` on the group's strand, never inline. False, and the task never runs, after
    /// close().
    bool spawn(std::string name, Task<> task);
    /// The same on a strand of the task's own.
    bool spawn_on(const Strand& strand, std::string name, Task<> task);

    /// Refuses new tasks; running ones go on.
    void close();
    /// close(), and cancels every running task.
    void stop();
    /// Waits until no task runs; true when that came before `deadline`. Does not stop anything. Not
    /// to be awaited by a child of this group.
    [[nodiscard]] Task<bool> join(Timers& timers, MonoTime deadline);

    /// How many tasks run now.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] const Strand& strand() const { return strand_; }

private:
    struct Child;
    void finished(std::uint64_t id, const std::string& name, const std::exception_ptr& failure);
    [[nodiscard]] Task<bool> join_until(Timers* timers, MonoTime deadline);
    [[nodiscard]] Task<Result<void>> wait_empty();

    const Strand strand_;
    const Logger log_;
    const OnFailure on_failure_;

    mutable Mutex mutex_;
    bool closed_ KPID_GUARDED_BY(mutex_) = false;
    std::uint64_t next_id_ KPID_GUARDED_BY(mutex_) = 0;
    std::map<std::uint64_t, std::shared_ptr<Child>> children_ KPID_GUARDED_BY(mutex_);
    std::vector<std::shared_ptr<Completion>> joiners_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::net
