// libcurl's multi interface on Asio: sockets and the timer are waited for on one strand.

#include "net/curl_transfer.h"
#include "net/http_client.h"
#include "net/token.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <map>
#include <unordered_map>
#include <utility>

namespace kpid::net {
namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Strand>;
using Descriptor = asio::posix::basic_stream_descriptor<Strand>;

// A socket of libcurl's. The descriptor only watches: libcurl opens and closes it.
struct SocketWatch {
    SocketWatch(const Strand& strand, curl_socket_t s) : descriptor(strand), socket(s) {}
    Descriptor descriptor;
    const curl_socket_t socket;
    int wanted = CURL_POLL_NONE;
    bool reading = false;
    bool writing = false;
    bool removed = false;
};

}  // namespace

class CurlClient::Impl : public std::enable_shared_from_this<CurlClient::Impl> {
public:
    Impl(asio::io_context& io, CurlClientOptions o)
        : options(std::move(o)), strand(asio::make_strand(io)), timer_(strand) {}
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Result<void> init();
    void start(const std::shared_ptr<CurlTransfer>& transfer);
    void take_back(const std::shared_ptr<CurlTransfer>& transfer);

    const CurlClientOptions options;
    const Strand strand;
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> failures = 0;
    std::atomic<std::uint64_t> connections = 0;
    std::atomic<std::size_t> pending = 0;

private:
    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* user, void* watch);
    static int on_timer(CURLM* multi, long wait_ms, void* user);

    void watch_socket(curl_socket_t socket, int what);
    void forget_socket(curl_socket_t socket);
    void arm(const std::shared_ptr<SocketWatch>& watch);
    void wait_for(const std::shared_ptr<SocketWatch>& watch, bool write);
    void on_ready(const std::shared_ptr<SocketWatch>& watch, int events);
    void set_timer(long wait_ms);
    void act(curl_socket_t socket, int events);
    void collect();
    void finish(const std::shared_ptr<CurlTransfer>& transfer, Result<HttpClientResponse> result);

    // Owned by the strand.
    Timer timer_;
    std::uint64_t timer_generation_ = 0;
    std::unordered_map<curl_socket_t, std::shared_ptr<SocketWatch>> watches_;
    std::map<CURL*, std::shared_ptr<CurlTransfer>> active_;
    CURLM* multi_ = nullptr;
};

CurlClient::Impl::~Impl() {
    // No callback may come any more; then the handles go before the multi handle, as libcurl wants
    // it.
    if (multi_ != nullptr) {
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
    }
    for (auto& [socket, watch] : watches_) {
        watch->removed = true;
        watch->descriptor.release();
    }
    for (auto& [easy, transfer] : active_) {
        curl_multi_remove_handle(multi_, easy);
    }
    curl_multi_cleanup(multi_);
}

Result<void> CurlClient::Impl::init() {
    if (multi_ != nullptr) {
        return {};
    }
    KPID_CHECK_OK(init_curl());
    multi_ = curl_multi_init();
    if (multi_ == nullptr) {
        return internal_error("libcurl has no multi handle");
    }
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS,
                      static_cast<long>(options.connections_kept_max));
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.connections_per_host_max));
    return {};
}

void CurlClient::Impl::start(const std::shared_ptr<CurlTransfer>& transfer) {
    if (transfer->over) {
        return;
    }
    if (Result<void> ready = init(); !ready) {
        finish(transfer, std::move(ready).error());
        return;
    }
    CURL* easy = transfer->easy.get();
    transfer->active = true;
    active_.emplace(easy, transfer);
    if (const CURLMcode code = curl_multi_add_handle(multi_, easy); code != CURLM_OK) {
        transfer->active = false;
        active_.erase(easy);
        finish(transfer, internal_error(curl_multi_strerror(code)));
        return;
    }
    // Adding asked for a timer of zero; acting at once saves a turn of the loop.
    act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlClient::Impl::take_back(const std::shared_ptr<CurlTransfer>& transfer) {
    if (transfer->over) {
        return;
    }
    transfer->over = true;
    if (transfer->active) {
        transfer->active = false;
        curl_multi_remove_handle(multi_, transfer->easy.get());
        active_.erase(transfer->easy.get());
    }
}

int CurlClient::Impl::on_socket(CURL* easy, curl_socket_t socket, int what, void* user,
                                void* watch) {
    static_cast<void>(easy);
    static_cast<void>(watch);
    auto* impl = static_cast<Impl*>(user);
    if (what == CURL_POLL_REMOVE) {
        impl->forget_socket(socket);
    } else {
        impl->watch_socket(socket, what);
    }
    return 0;
}

int CurlClient::Impl::on_timer(CURLM* multi, long wait_ms, void* user) {
    static_cast<void>(multi);
    static_cast<Impl*>(user)->set_timer(wait_ms);
    return 0;
}

void CurlClient::Impl::watch_socket(curl_socket_t socket, int what) {
    std::shared_ptr<SocketWatch>& watch = watches_[socket];
    if (!watch) {
        watch = std::make_shared<SocketWatch>(strand, socket);
        error_code failure;
        watch->descriptor.assign(socket, failure);
        if (failure) {  // the transfer ends by its timeout
            watches_.erase(socket);
            return;
        }
    }
    watch->wanted = what;
    arm(watch);
}

void CurlClient::Impl::forget_socket(curl_socket_t socket) {
    const auto found = watches_.find(socket);
    if (found == watches_.end()) {
        return;
    }
    found->second->removed = true;
    found->second->descriptor.release();
    watches_.erase(found);
}

void CurlClient::Impl::arm(const std::shared_ptr<SocketWatch>& watch) {
    if ((watch->wanted & CURL_POLL_IN) != 0 && !watch->reading) {
        watch->reading = true;
        wait_for(watch, false);
    }
    if ((watch->wanted & CURL_POLL_OUT) != 0 && !watch->writing) {
        watch->writing = true;
        wait_for(watch, true);
    }
}

void CurlClient::Impl::wait_for(const std::shared_ptr<SocketWatch>& watch, bool write) {
    const auto direction =
        write ? Descriptor::wait_type::wait_write : Descriptor::wait_type::wait_read;
    watch->descriptor.async_wait(
        direction, [weak = weak_from_this(), watch, write](const error_code& failure) {
            (write ? watch->writing : watch->reading) = false;
            const std::shared_ptr<Impl> impl = weak.lock();
            if (impl && !watch->removed && failure != asio::error::operation_aborted) {
                impl->on_ready(watch, write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
            }
        });
}

void CurlClient::Impl::on_ready(const std::shared_ptr<SocketWatch>& watch, int events) {
    const int wanted = events == CURL_CSELECT_OUT ? CURL_POLL_OUT : CURL_POLL_IN;
    if ((watch->wanted & wanted) != 0) {
        act(watch->socket, events);
    }
    if (!watch->removed) {
        arm(watch);
    }
}

void CurlClient::Impl::set_timer(long wait_ms) {
    const std::uint64_t generation = ++timer_generation_;
    if (wait_ms < 0) {
        timer_.cancel();
        return;
    }
    timer_.expires_after(std::chrono::milliseconds(wait_ms));
    timer_.async_wait([weak = weak_from_this(), generation](const error_code& failure) {
        const std::shared_ptr<Impl> impl = weak.lock();
        if (!failure && impl && impl->timer_generation_ == generation) {
            impl->act(CURL_SOCKET_TIMEOUT, 0);
        }
    });
}

void CurlClient::Impl::act(curl_socket_t socket, int events) {
    int running = 0;
    const CURLMcode code = curl_multi_socket_action(multi_, socket, events, &running);
    static_cast<void>(code);  // what fails shows in the transfers
    collect();
}

void CurlClient::Impl::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURL* easy = message->easy_handle;
        const int code = message->data.result;
        const auto found = active_.find(easy);
        if (found == active_.end()) {
            continue;
        }
        const std::shared_ptr<CurlTransfer> transfer = found->second;
        active_.erase(found);
        transfer->active = false;
        connections += connections_opened(*transfer);
        Result<HttpClientResponse> result = finish_curl_transfer(*transfer, code);
        curl_multi_remove_handle(multi_, easy);
        finish(transfer, std::move(result));
    }
}

void CurlClient::Impl::finish(const std::shared_ptr<CurlTransfer>& transfer,
                              Result<HttpClientResponse> result) {
    transfer->over = true;
    failures += result ? 0U : 1U;
    transfer->result = std::move(result);
    transfer->done->signal();
}

namespace {

// Takes a request back when the task that sent it ends early.
template <class Impl>
class PendingRequest {
public:
    PendingRequest(std::shared_ptr<Impl> impl, std::shared_ptr<CurlTransfer> transfer)
        : impl_(std::move(impl)), transfer_(std::move(transfer)) {}
    // NOLINTNEXTLINE(bugprone-exception-escape): only a lack of memory throws; that ends kpid.
    ~PendingRequest() {
        --impl_->pending;
        asio::post(impl_->strand,
                   [impl = impl_, transfer = std::move(transfer_)] { impl->take_back(transfer); });
    }
    PendingRequest(const PendingRequest&) = delete;
    PendingRequest& operator=(const PendingRequest&) = delete;

private:
    std::shared_ptr<Impl> impl_;
    std::shared_ptr<CurlTransfer> transfer_;
};

}  // namespace

CurlClient::CurlClient(asio::io_context& io, CurlClientOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {
}

CurlClient::~CurlClient() = default;

Task<Result<HttpClientResponse>> CurlClient::send(HttpClientRequest request) {
    const std::shared_ptr<Impl> impl = impl_;
    ++impl->requests;
    if (++impl->pending > impl->options.requests_max) {
        --impl->pending;
        ++impl->failures;
        co_return resource_exhausted("too many HTTP requests at once");
    }
    Result<std::shared_ptr<CurlTransfer>> made =
        make_curl_transfer(std::move(request), impl->options.user_agent);
    if (!made) {
        --impl->pending;
        ++impl->failures;
        co_return std::move(made).error();
    }
    const std::shared_ptr<CurlTransfer> transfer = *std::move(made);
    const PendingRequest<Impl> pending(impl, transfer);
    const Strand strand = co_await asio::this_coro::executor;
    transfer->done = std::make_shared<Completion>(strand);
    asio::post(impl->strand, [impl, transfer] { impl->start(transfer); });
    const bool finished = co_await transfer->done->wait();
    if (!finished) {
        co_return Error{Code::kCancelled, "cancelled"};
    }
    co_return std::move(transfer->result);
}

CurlClientStats CurlClient::stats() const {
    CurlClientStats stats;
    stats.requests_total = impl_->requests;
    stats.failures_total = impl_->failures;
    stats.connections_total = impl_->connections;
    return stats;
}

}  // namespace kpid::net
