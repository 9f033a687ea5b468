#pragma once
// HTTP requests to others: sources, webhooks, remote storage.

#include "kpid/base/http_client_options.h"
#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "net/http_message.h"
#include "net/task.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace kpid::net {

struct HttpClientRequest {
    std::string method = "GET";
    std::string url;      ///< http or https only. Never written to a log or an error whole.
    HttpHeaders headers;  ///< Accept-Encoding (gzip, deflate, zstd, br) also turns on decoding.
    std::string body;
    HttpClientOptions options;
    Duration timeout{30'000};  ///< For everything; more than 0.
    Duration connect_timeout{10'000};
    std::size_t response_bytes_max =
        32U << 20U;  ///< Of the decoded body; one byte more fails the request.
    /// Instead of collecting the body of a 2xx answer: takes each piece as it comes, in order; an
    /// error from it fails the request with that error. Runs on the client's strand: it may be slow
    /// only where nobody else uses the client.
    std::function<Result<void>(std::string_view piece)> on_body = {};
};

struct HttpClientResponse {
    unsigned status = 0;
    HttpHeaders headers;  ///< Of the last response, after redirects.
    std::string body;
};

/// Sends requests. Implementations: CurlClient, fakes in tests. Thread-safe.
class HttpClient {
public:
    virtual ~HttpClient() = default;
    /// Any status is a response. Errors: kInvalidArgument (URL, settings, an unreadable secret
    /// file), kUnavailable (name, connection, TLS, broken response), kDeadlineExceeded (timeout),
    /// kResourceExhausted (response_bytes_max, or too many requests at once), kCancelled.
    [[nodiscard]] virtual Task<Result<HttpClientResponse>> send(HttpClientRequest request) = 0;
};

/// What the client did since its start.
struct CurlClientStats {
    std::uint64_t requests_total = 0;
    std::uint64_t failures_total = 0;     ///< Requests that ended without a response.
    std::uint64_t connections_total = 0;  ///< Connections opened; kept ones are used again.
};

struct CurlClientOptions {
    std::size_t requests_max = 1024;           ///< At once; one more is kResourceExhausted.
    std::size_t connections_kept_max = 64;     ///< Idle connections kept for the next request.
    std::size_t connections_per_host_max = 0;  ///< 0 is no bound; else requests wait for one.
    std::string user_agent = "kpid";
};

/// libcurl's multi interface on a strand of its own: HTTP/1.1 and HTTP/2, TLS, proxies, kept
/// connections. Secrets from files are read at each request. The client outlives every send(); a
/// send() that is pending when the client dies never returns, so stop the tasks that send first.
class CurlClient final : public HttpClient {
public:
    explicit CurlClient(asio::io_context& io, CurlClientOptions options = {});
    ~CurlClient() override;
    CurlClient(const CurlClient&) = delete;
    CurlClient& operator=(const CurlClient&) = delete;

    [[nodiscard]] Task<Result<HttpClientResponse>> send(HttpClientRequest request) override;
    [[nodiscard]] CurlClientStats stats() const;

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace kpid::net
