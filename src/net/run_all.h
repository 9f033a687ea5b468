#pragma once
// Several tasks at once, on one strand.

#include "net/task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <exception>
#include <utility>
#include <vector>

namespace kpid::net {

/// Runs the tasks at once on the caller's strand and ends when all of them have. When the caller is
/// cancelled so are they. The first exception of one, in their order, passes through at the end.
///
///     std::vector<Task<>> lanes;
///     lanes.push_back(lane(&round));
///     co_await run_all(std::move(lanes));
[[nodiscard]] inline Task<> run_all(std::vector<Task<>> tasks) {
    if (tasks.empty()) {
        co_return;
    }
    const Strand strand = co_await asio::this_coro::executor;
    using Operation = decltype(asio::co_spawn(strand, std::declval<Task<>>(), asio::deferred));
    std::vector<Operation> operations;
    operations.reserve(tasks.size());
    for (Task<>& task : tasks) {
        operations.push_back(asio::co_spawn(strand, std::move(task), asio::deferred));
    }
    auto group = asio::experimental::make_parallel_group(std::move(operations));
    auto [order, failures] = co_await group.async_wait(asio::experimental::wait_for_all(),
                                                       asio::use_awaitable_t<Strand>());
    for (const std::exception_ptr& failure : failures) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
}

}  // namespace kpid::net
