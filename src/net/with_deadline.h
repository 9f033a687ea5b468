#pragma once
// The one wrapper that bounds a task by a deadline.

#include "net/task.h"
#include "net/timers.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <exception>
#include <utility>

namespace kpid::net {

namespace detail {

template <class T>
[[nodiscard]] Task<Result<T>> with_deadline(Timers* timers, MonoTime deadline,
                                            Task<Result<T>> task) {
    const Strand strand = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(strand, std::move(task), asio::deferred),
        asio::co_spawn(strand, timers->sleep_until(deadline), asio::deferred));
    auto [order, failure, result, timer_failure, slept] = co_await group.async_wait(
        asio::experimental::wait_for_one(), asio::use_awaitable_t<Strand>());
    const bool was_first = order[0] == 0;
    if (was_first && failure) {
        std::rethrow_exception(failure);
    }
    if (was_first || (!failure && result.has_value())) {
        co_return std::move(result);
    }
    if (timer_failure || !slept) {
        co_return Error{Code::kCancelled, "cancelled"};
    }
    co_return Error{Code::kDeadlineExceeded, "deadline exceeded"};
}

}  // namespace detail

/// Runs `task` on the caller's strand until `deadline`; then it is cancelled, has ended when this
/// returns, and the answer is Code::kDeadlineExceeded. A result that was ready in time is never
/// thrown away. When the caller itself is cancelled so is the task. T is default-constructible. An
/// exception of the task passes through.
///
///     auto answer = co_await with_deadline(timers, timers.after(5s),
///     client.send(std::move(request)));
template <class T>
[[nodiscard]] Task<Result<T>> with_deadline(Timers& timers, MonoTime deadline,
                                            Task<Result<T>> task) {
    return detail::with_deadline(&timers, deadline, std::move(task));
}

}  // namespace kpid::net
