#pragma once
// The coroutine type of the daemon: a task that always runs on one strand.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

namespace kpid::net {

namespace asio = boost::asio;

/// Runs what is given to it one at a time. State with an owner strand needs no lock.
using Strand = asio::strand<asio::io_context::executor_type>;

/// A coroutine on a strand. It does nothing until it is awaited or given to TaskGroup::spawn.
///
/// Rules: one co_await per statement, its result named; never in a condition or an argument list.
/// Free coroutines take values, or a pointer named `owner` to the object whose TaskGroup they run
/// in. No lambda that captures is a coroutine. After its group was stopped a task's pending
/// operation ends with Code::kCancelled and its next co_await throws, which TaskGroup takes as an
/// ordinary end: clean up by destructors.
template <class T = void>
using Task = asio::awaitable<T, Strand>;

}  // namespace kpid::net
