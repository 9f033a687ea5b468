#pragma once
// One connection of the HTTP server.

#include "net/http_server.h"
#include "net/task.h"

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace kpid::net {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Strand>;

/// The counters behind HttpServerStats.
struct HttpServerCounters {
    std::atomic<std::uint64_t> connections = 0;
    std::atomic<std::uint64_t> connections_open = 0;
    std::atomic<std::uint64_t> connections_refused = 0;
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> requests_refused = 0;
    std::atomic<std::uint64_t> handler_failures = 0;
    std::atomic<std::uint64_t> request_body_bytes = 0;
    std::atomic<std::uint64_t> response_body_bytes = 0;
};

/// What all connections of a server share. Outlives them.
struct HttpServerContext {
    HttpServerContext(HttpServerParts p, HttpServerOptions o)
        : parts(std::move(p)), options(std::move(o)) {}

    const HttpServerParts parts;
    const HttpServerOptions options;
    HttpServerCounters counters;
    std::atomic<bool> stopping = false;       ///< Finish the request in flight, then close.
    std::atomic<std::size_t> body_bytes = 0;  ///< In memory now, of bodies_bytes_max.
};

/// How a stopping server wakes a connection that waits for its next request.
struct IdleHook {
    explicit IdleHook(const Strand& s) : strand(s) {}
    const Strand strand;
    std::function<void()> close;  ///< Owned by the strand; empty while a request is in work.
};

/// Serves requests until the peer, an error, a timeout or the stop ends it.
[[nodiscard]] Task<> serve_connection(HttpServerContext* owner, TcpSocket socket,
                                      std::shared_ptr<IdleHook> hook);

/// Answers a connection above the limit with 503 and closes it.
[[nodiscard]] Task<> refuse_connection(HttpServerContext* owner, TcpSocket socket);

}  // namespace kpid::net
