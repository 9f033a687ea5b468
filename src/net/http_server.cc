// Listening, accepting, stopping.

#include "net/http_server.h"

#include "kpid/base/mutex.h"
#include "net/http_connection.h"
#include "net/resolve.h"
#include "net/task_group.h"
#include "net/token.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <map>
#include <utility>

namespace kpid::net {
namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Strand>;

// Refusals under way at once; above that connections are just closed.
constexpr std::uint64_t kRefusalsMax = 64;
// After an accept that failed, out of descriptors for instance.
constexpr Duration kAcceptPause{100};
// For what was cut to unwind before that is worth a line in the log.
constexpr Duration kCutPatience{5'000};

Result<Acceptor> make_acceptor(const Strand& strand, const std::string& text,
                               const std::string& setting) {
    Result<ListenAddress> resolved = resolve_listen_address(text);
    if (!resolved) {
        return resolved.error().with_context(setting);
    }
    const tcp::endpoint endpoint(resolved->address, resolved->port);
    Acceptor acceptor(strand);
    error_code failure;
    acceptor.open(endpoint.protocol(), failure);
    if (!failure) {
        acceptor.set_option(asio::socket_base::reuse_address(true), failure);
    }
    if (!failure && resolved->every_interface && endpoint.protocol() == tcp::v6()) {
        acceptor.set_option(asio::ip::v6_only(false), failure);
    }
    if (!failure) {
        acceptor.bind(endpoint, failure);
    }
    if (!failure) {
        acceptor.listen(asio::socket_base::max_listen_connections, failure);
    }
    if (failure) {
        return listen_error(text, failure.message(), setting);
    }
    return acceptor;
}

}  // namespace

class HttpServer::Impl {
public:
    Impl(HttpServerParts parts, HttpServerOptions options)
        : context(std::move(parts), std::move(options)),
          strand(asio::make_strand(context.parts.io)),
          accepting(strand, context.parts.log),
          connections(strand, context.parts.log) {}

    Result<void> start();
    Task<bool> stop(MonoTime deadline);
    Task<> accept_loop(Acceptor* acceptor);
    Task<> serve(std::uint64_t hook_id, std::shared_ptr<IdleHook> hook, TcpSocket socket);
    Task<> turn_away(TcpSocket socket);
    void admit(TcpSocket socket);
    void close_idle();

    HttpServerContext context;
    const Strand strand;
    std::vector<Acceptor> acceptors;  // constant between start() and the end of stop()
    std::vector<Address> local;       // constant after start()
    std::atomic<std::uint64_t> refusals_open = 0;

    Mutex mutex;
    std::uint64_t next_hook KPID_GUARDED_BY(mutex) = 0;
    std::map<std::uint64_t, std::shared_ptr<IdleHook>> hooks KPID_GUARDED_BY(mutex);

    TaskGroup accepting;
    TaskGroup connections;
};

namespace {

// Runs a function when it dies, however a task ends.
class AtExit {
public:
    explicit AtExit(std::function<void()> run) : run_(std::move(run)) {}
    ~AtExit() { run_(); }
    AtExit(const AtExit&) = delete;
    AtExit& operator=(const AtExit&) = delete;

private:
    std::function<void()> run_;
};

}  // namespace

Result<void> HttpServer::Impl::start() {
    for (const std::string& text : context.options.listen) {
        KPID_TRY(Acceptor acceptor, make_acceptor(strand, text, context.options.listen_setting));
        error_code failure;
        const tcp::endpoint endpoint = acceptor.local_endpoint(failure);
        if (failure) {
            return listen_error(text, failure.message(), context.options.listen_setting);
        }
        local.push_back(Address{endpoint.address().to_string(), endpoint.port()});
        acceptors.push_back(std::move(acceptor));
    }
    for (Acceptor& acceptor : acceptors) {
        accepting.spawn("http_accept", accept_loop(&acceptor));
    }
    return {};
}

Task<> HttpServer::Impl::accept_loop(Acceptor* acceptor) {
    for (;;) {
        const Strand connection_strand = asio::make_strand(context.parts.io);
        auto [failure, socket] = co_await acceptor->async_accept(connection_strand, kToken);
        if (!failure) {
            admit(std::move(socket));
            continue;
        }
        if (failure == asio::error::operation_aborted) {
            co_return;
        }
        context.parts.log.warn("cannot accept a connection", {{"error", failure.message()}});
        const MonoTime retry = context.parts.timers.after(kAcceptPause);
        const Result<void> slept = co_await context.parts.timers.sleep_until(retry);
        if (!slept) {
            co_return;
        }
    }
}

void HttpServer::Impl::admit(TcpSocket socket) {
    HttpServerCounters& counters = context.counters;
    ++counters.connections;
    const Strand connection_strand = socket.get_executor();
    if (connections.size() - refusals_open >= context.options.connections_max) {
        ++counters.connections_refused;
        if (refusals_open < kRefusalsMax) {
            ++refusals_open;
            if (!connections.spawn_on(connection_strand, "http_refuse",
                                      turn_away(std::move(socket)))) {
                --refusals_open;
            }
        }
        return;
    }
    const auto hook = std::make_shared<IdleHook>(connection_strand);
    std::uint64_t id = 0;
    {
        const MutexLock lock(mutex);
        id = next_hook++;
        hooks.emplace(id, hook);
    }
    if (!connections.spawn_on(connection_strand, "http_connection",
                              serve(id, hook, std::move(socket)))) {
        const MutexLock lock(mutex);
        hooks.erase(id);
    }
}

Task<> HttpServer::Impl::turn_away(TcpSocket socket) {
    const AtExit done([this] { --refusals_open; });
    co_await refuse_connection(&context, std::move(socket));
}

Task<> HttpServer::Impl::serve(std::uint64_t hook_id, std::shared_ptr<IdleHook> hook,
                               TcpSocket socket) {
    const AtExit done([this, hook_id] {
        const MutexLock lock(mutex);
        hooks.erase(hook_id);
    });
    co_await serve_connection(&context, std::move(socket), std::move(hook));
}

void HttpServer::Impl::close_idle() {
    const MutexLock lock(mutex);
    for (const auto& [id, hook] : hooks) {
        asio::post(hook->strand, [hook] {
            if (hook->close) {
                hook->close();
            }
        });
    }
}

Task<bool> HttpServer::Impl::stop(MonoTime deadline) {
    Timers& timers = context.parts.timers;
    accepting.stop();
    // A cancelled accept ends at once; nothing below may run before it has, whatever the deadline.
    const bool stopped_accepting = co_await accepting.join(timers, MonoTime::max());
    static_cast<void>(stopped_accepting);
    context.stopping = true;
    connections.close();
    close_idle();
    const bool finished = co_await connections.join(timers, deadline);
    if (!finished) {
        connections.stop();
        const bool cut = co_await connections.join(timers, timers.after(kCutPatience));
        if (!cut) {
            // They use what dies after the stop, so there is no going on without them.
            context.parts.log.error("cut connections take long to end", {});
            const bool ended = co_await connections.join(timers, MonoTime::max());
            static_cast<void>(ended);
        }
    }
    acceptors.clear();
    co_return finished;
}

HttpServer::HttpServer(HttpServerParts parts, HttpServerOptions options)
    : impl_(std::make_unique<Impl>(std::move(parts), std::move(options))) {
}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::start() {
    return impl_->start();
}

Task<bool> HttpServer::stop(MonoTime deadline) {
    return impl_->stop(deadline);
}

std::vector<std::string> HttpServer::local_addresses() const {
    std::vector<std::string> addresses;
    for (const Address& address : impl_->local) {
        addresses.push_back(to_string(address));
    }
    return addresses;
}

std::uint16_t HttpServer::port() const {
    return impl_->local.empty() ? std::uint16_t{0} : impl_->local.front().port;
}

HttpServerStats HttpServer::stats() const {
    const HttpServerCounters& counters = impl_->context.counters;
    HttpServerStats stats;
    stats.connections_total = counters.connections;
    stats.connections_open = counters.connections_open;
    stats.connections_refused_total = counters.connections_refused;
    stats.requests_total = counters.requests;
    stats.requests_refused_total = counters.requests_refused;
    stats.handler_failures_total = counters.handler_failures;
    stats.request_body_bytes_total = counters.request_body_bytes;
    stats.response_body_bytes_total = counters.response_body_bytes;
    return stats;
}

}  // namespace kpid::net
