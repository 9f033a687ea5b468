#pragma once
// For tasks that look at their own cancellation: `co_await asio::this_coro::cancellation_state` and
// `throw_if_cancelled(false)`, for a task that has something to write down after a stop.

#include "net/task.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
