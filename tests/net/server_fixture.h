#pragma once
// A server on a free port with a handler that tests can steer.

#include "net/body_stream.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "support/net_fixture.h"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>

namespace kpid::testing {

/// Streams "0\n", "1\n", … up to count - 1, then ends, or fails when `breaks`.
class CountingStream final : public net::BodyStream {
public:
    CountingStream(std::size_t count, bool breaks) : count_(count), breaks_(breaks) {}

    net::Task<Result<std::string>> next() override {
        if (at_ < count_) {
            co_return std::to_string(at_++) + "\n";
        }
        if (breaks_) {
            co_return unavailable("the stream broke");
        }
        co_return std::string();
    }

private:
    const std::size_t count_;
    const bool breaks_;
    std::size_t at_ = 0;
};

/// GET /big?n=N: N bytes. /stream?n=N: a CountingStream, one that breaks with &broken=1. /throw: an
/// exception. /wait: answers when `opened` is set, or sets `left` when its client leaves before.
/// /status?s=N. /redirect?to=URL, without URL to itself. Everything else: "METHOD path" and the
/// body, with the request's headers as X-Got-….
class TestHandler final : public net::HttpHandler {
public:
    explicit TestHandler(net::Timers& timers) : timers_(timers) {}

    net::Task<net::HttpResponse> handle(net::HttpRequest request) override {
        ++handled;
        if (request.path == "/throw") {
            throw std::runtime_error("handler is broken");
        }
        if (request.path == "/wait") {
            while (!opened) {
                if (request.gone.stop_requested()) {
                    left = true;
                    break;
                }
                const Result<void> slept = co_await timers_.sleep_until(timers_.after(Duration(1)));
                if (!slept) {
                    break;
                }
            }
            co_return net::text_response(200, "waited");
        }
        if (request.path == "/big") {
            const std::size_t size = std::stoul(std::string(request.params.get_or("n", "0")));
            co_return net::make_response(200, "text/plain", std::string(size, 'x'));
        }
        if (request.path == "/stream") {
            net::HttpResponse response = net::make_response(200, "text/plain", "");
            response.stream = std::make_shared<CountingStream>(
                std::stoul(std::string(request.params.get_or("n", "0"))),
                request.params.has("broken"));
            co_return response;
        }
        if (request.path == "/status") {
            net::HttpResponse response;
            response.status =
                static_cast<unsigned>(std::stoul(std::string(request.params.get_or("s", "200"))));
            co_return response;
        }
        if (request.path == "/redirect") {
            net::HttpResponse response = net::text_response(302, "elsewhere");
            response.headers.add("Location", request.params.get_or("to", "/redirect"));
            co_return response;
        }
        net::HttpResponse response = net::make_response(
            200, "text/plain", request.method + " " + request.path + "\n" + request.body);
        for (const auto& [name, value] : request.headers) {
            response.headers.add("X-Got-" + name, value);
        }
        co_return response;
    }

    [[nodiscard]] bool wants_packed_body(const net::HttpRequest& request) const override {
        return request.path == "/packed";
    }

    [[nodiscard]] net::HttpResponse refusal(std::string_view target, unsigned status,
                                            std::string text) const override {
        return net::text_response(status, "no " + std::string(target) + ": " + text);
    }

    std::atomic<int> handled = 0;
    std::atomic<bool> opened = false;
    std::atomic<bool> left = false;

private:
    net::Timers& timers_;
};

class ServerFixture : public NetFixture {
public:
    explicit ServerFixture(net::HttpServerOptions options = {}) : handler(timers()) {
        options.listen = {"127.0.0.1:0"};
        server.emplace(
            net::HttpServerParts{runtime().io_context(), workers(), timers(), handler, Logger()},
            std::move(options));
        if (Result<void> started = server->start(); !started) {
            throw std::runtime_error(started.error().message);
        }
        client.emplace(runtime().io_context());
    }
    ~ServerFixture() {
        if (!stopped) {
            stop(Duration(0));
        }
    }

    bool stop(Duration patience) {
        stopped = true;
        return wait(server->stop(timers().after(patience)));
    }
    [[nodiscard]] std::string url(std::string_view target) const {
        return "http://127.0.0.1:" + std::to_string(server->port()) + std::string(target);
    }
    Result<net::HttpClientResponse> get(std::string_view target) {
        net::HttpClientRequest request;
        request.url = url(target);
        return wait(client->send(std::move(request)));
    }

    TestHandler handler;
    std::optional<net::HttpServer> server;
    std::optional<net::CurlClient> client;
    bool stopped = false;
};

}  // namespace kpid::testing
