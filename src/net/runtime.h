#pragma once
// The event loop of the daemon and its threads.

#include "net/task.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>
#include <vector>

namespace kpid::net {

/// Owns the io_context. Blocking, or more than 1 ms of CPU, on its threads is a defect: use
/// offload(). Thread-safe. What runs on it is stopped and joined before it dies.
class Runtime {
public:
    Runtime();
    /// finish(), and joins the background threads.
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    /// Runs the loop on the calling thread until finish(). The daemon's way: one I/O thread,
    /// main's.
    void run();
    /// Runs the loop on `count` more threads, in the background.
    void start_threads(int count = 1);
    /// Ends run() and the background threads soon; suspended tasks stay suspended.
    void finish();

    [[nodiscard]] Strand make_strand() { return asio::make_strand(io_); }
    [[nodiscard]] asio::io_context& io_context() { return io_; }

private:
    asio::io_context io_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

}  // namespace kpid::net
