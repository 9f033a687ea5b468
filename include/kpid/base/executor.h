#pragma once
// Where work that may run in parallel goes. The pure core is handed one and never makes a thread.

#include <cstddef>
#include <functional>

namespace kpid {

/// Runs tasks. Implementations: InlineExecutor (tests), net::WorkerPool (the daemon).
class Executor {
public:
    virtual ~Executor() = default;
    /// Runs `task` at some time on some thread. The task must not throw.
    virtual void execute(std::function<void()> task) = 0;
    /// As execute(), but false, and `task` does not run, when a bounded queue is full: never on the
    /// caller's thread of an implementation that has its own.
    [[nodiscard]] virtual bool offer(const std::function<void()>& task) {
        execute(task);
        return true;
    }
    /// Runs body(0) … body(count - 1), in any order, and returns when all are done. The
    /// caller's thread takes part, so that a call from inside a task cannot deadlock.
    virtual void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) = 0;
    /// How many tasks can run at once; at least 1.
    [[nodiscard]] virtual std::size_t concurrency() const = 0;
};

/// Runs everything at once on the caller's thread.
class InlineExecutor final : public Executor {
public:
    void execute(std::function<void()> task) override { task(); }
    void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) override {
        for (std::size_t i = 0; i < count; ++i) {
            body(i);
        }
    }
    [[nodiscard]] std::size_t concurrency() const override { return 1; }
};

}  // namespace kpid
