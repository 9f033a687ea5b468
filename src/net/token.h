#pragma once
// The completion token of this room's own operations: errors are values.

#include "kpid/base/result.h"
#include "net/task.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <string_view>

namespace kpid::net {

using boost::system::error_code;

/// `auto [failure, size] = co_await socket.async_receive(buffer, kToken);`
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Strand>> kToken{
    asio::use_awaitable_t<Strand>()};

/// The Error for a failed operation: kCancelled for an aborted one, else kUnavailable with "what:
/// reason".
[[nodiscard]] Error to_error(const error_code& failure, std::string_view what);

}  // namespace kpid::net
