#pragma once
// The HTTP/1.x server.

#include "kpid/base/log.h"
#include "kpid/base/result.h"
#include "net/http_message.h"
#include "net/task.h"
#include "net/timers.h"
#include "net/worker_pool.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::net {

/// Answers requests.
class HttpHandler {
public:
    virtual ~HttpHandler() = default;
    /// Runs on the connection's strand, several at once on different strands; long work goes to the
    /// worker pool by offload(), and every wait has a deadline of its own. An exception is logged
    /// and answered with 500. HEAD comes in as HEAD; its body is counted but not sent.
    [[nodiscard]] virtual Task<HttpResponse> handle(HttpRequest request) = 0;
    /// How the server itself refuses a request (malformed, too large, not to be unpacked, or its
    /// handler failed). `target` is the request line's, "" where it could not be read.
    [[nodiscard]] virtual HttpResponse refusal(std::string_view /*target*/, unsigned status,
                                               std::string text) const {
        return text_response(status, std::move(text));
    }
    /// True: the body of this request stays as it came,
    /// gzip too, and so does Content-Encoding. Called on the connection's strand.
    [[nodiscard]] virtual bool wants_packed_body(const HttpRequest& /*request*/) const {
        return false;
    }
};

struct HttpServerOptions {
    std::vector<std::string> listen = {"127.0.0.1:9731"};  ///< "host:port"; port 0 is any free one.
    std::string listen_setting = "--web.listen-address";   ///< Named when an address cannot be had.
    std::size_t body_bytes_max = 32U << 20U;     ///< Also after decompression; more is 413.
    std::size_t bodies_bytes_max = 256U << 20U;  ///< Of all requests at once; more is 503.
    std::size_t header_bytes_max = 64U << 10U;   ///< Request line and headers; more is 431.
    std::size_t connections_max = 1024;          ///< One more is answered with 503 and closed.
    std::size_t gzip_bytes_min =
        1024;  ///< Larger responses are compressed for clients that accept it.
    Duration idle_timeout{120'000};   ///< Between requests on a kept connection.
    Duration header_timeout{10'000};  ///< From a request's first byte to the end of its headers.
    Duration body_timeout{60'000};    ///< From there to the end of its body.
    Duration write_timeout{60'000};   ///< For a whole response.
    /// How long a refused client may go on sending before the connection is cut; it would else lose
    /// the answer to a reset.
    Duration linger_timeout{5'000};
};

/// What the server did since its start; all start at 0.
struct HttpServerStats {
    std::uint64_t connections_total = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t connections_refused_total = 0;  ///< Above connections_max.
    std::uint64_t requests_total = 0;             ///< Handed to the handler.
    std::uint64_t requests_refused_total =
        0;  ///< Malformed, too large or timed out: never handled.
    std::uint64_t handler_failures_total = 0;     ///< Exceptions.
    std::uint64_t request_body_bytes_total = 0;   ///< After decompression.
    std::uint64_t response_body_bytes_total = 0;  ///< Before compression.
};

/// What a server borrows; all of it outlives the server.
struct HttpServerParts {
    asio::io_context& io;
    WorkerPool& workers;
    Timers& timers;
    HttpHandler& handler;
    Logger log;
};

/// Listens, parses, calls the handler, answers. Keep-alive, pipelining (answered in order),
/// HTTP/1.0 and 1.1, HEAD, chunked bodies, Expect: 100-continue, gzip both ways. Each connection is
/// a task on a strand of its own. start() and stop() are called once each; stats() anywhere.
class HttpServer {
public:
    HttpServer(HttpServerParts parts, HttpServerOptions options);
    /// The server is stopped, or was never started.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Binds every address, then accepts. An error names the address and options.listen_setting.
    [[nodiscard]] Result<void> start();
    /// Stops accepting, closes idle connections, lets requests in flight finish until `deadline`,
    /// then cuts what is left. True when nothing had to be cut. Returns when every connection has
    /// ended.
    [[nodiscard]] Task<bool> stop(MonoTime deadline);

    /// Where it listens, ports resolved, in the order of options.listen: "127.0.0.1:43115".
    [[nodiscard]] std::vector<std::string> local_addresses() const;
    /// Port of the first address; 0 before start().
    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] HttpServerStats stats() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kpid::net
