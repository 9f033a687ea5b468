#pragma once
// Blocking HTTP on 127.0.0.1 for benchmarks: one client connection, and a server that receives
// webhooks.

#include "kpid/base/result.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace kpid::bench {

using SteadyClock = std::chrono::steady_clock;

/// A file descriptor that closes itself.
class Socket {
public:
    explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
    ~Socket();
    Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket& operator=(Socket&&) = delete;

    [[nodiscard]] int get() const { return descriptor_; }

private:
    int descriptor_;
};

/// A port that nobody listens on just now, for programs that cannot tell which they took.
[[nodiscard]] std::uint16_t free_port();

/// One kept connection, without Nagle's delay. One thread at a time.
class HttpConnection {
public:
    [[nodiscard]] static Result<HttpConnection> open(
        std::uint16_t port, std::chrono::seconds answer_max = std::chrono::seconds(10));

    struct Response {
        int status = 0;
        std::string body;
    };
    /// Sends head and body in one write, then reads the whole answer. `headers` are whole lines,
    /// each with its "\r\n". No answer within `answer_max` is an error.
    [[nodiscard]] Result<Response> request(std::string_view method, std::string_view path,
                                           std::string_view headers, std::string_view body);

private:
    explicit HttpConnection(Socket socket) : socket_(std::move(socket)) {}

    Socket socket_;
    std::string received_;
};

/// Text as a value of a form: all but letters and digits as %XX.
[[nodiscard]] std::string form_encode(std::string_view text);

/// POSTs a form, values encoded already; the body of the answer, which must be a 2xx.
[[nodiscard]] Result<std::string> post_form(HttpConnection& connection, std::string_view path,
                                            std::string_view form);

/// Waits until GET `path` answers 200.
[[nodiscard]] Result<void> wait_until_ready(std::uint16_t port, std::string_view path,
                                            std::chrono::seconds at_most);

/// Answers every POST with 200 and keeps its body and moment. A thread per connection; connections
/// are kept as long as the peer likes.
class WebhookSink {
public:
    struct Webhook {
        SteadyClock::time_point received;  ///< When its last byte was read.
        std::string body;
    };

    WebhookSink();
    ~WebhookSink();
    WebhookSink(const WebhookSink&) = delete;
    WebhookSink& operator=(const WebhookSink&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// The oldest webhook not taken yet; waits for one until `deadline`.
    [[nodiscard]] std::optional<Webhook> take(SteadyClock::time_point deadline);
    /// Connections accepted so far.
    [[nodiscard]] std::size_t connection_count() const { return connection_count_; }

private:
    static constexpr std::size_t kWebhooksMax = 100'000;

    void accept_all();
    void serve(int descriptor);
    void keep(Webhook webhook);

    std::uint16_t port_ = 0;  // Before the listener, which sets it.
    Socket listener_;
    std::atomic<std::size_t> connection_count_ = 0;

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Webhook> webhooks_;
    std::vector<std::unique_ptr<Socket>> connections_;
    std::vector<std::thread> servers_;
    bool stopping_ = false;

    std::thread acceptor_;
};

}  // namespace kpid::bench
