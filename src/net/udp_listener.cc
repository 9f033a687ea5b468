// Datagrams by recvmmsg, as many as are there at each wake-up.

#include "net/udp_listener.h"

#include "net/resolve.h"
#include "net/token.h"

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <vector>

namespace kpid::net {
namespace {

using asio::ip::udp;
using Socket = asio::basic_datagram_socket<udp, Strand>;

// After so many full batches the strand is given to others.
constexpr int kBatchesPerTurnMax = 16;
constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(std::uint32_t));

}  // namespace

class UdpListener::Impl {
public:
    Impl(const Strand& strand, DatagramHandler& h, Logger l, UdpListenerOptions o)
        : handler(h), log(std::move(l)), options(std::move(o)), socket_(strand) {}

    Result<void> open();
    Task<> run();

    DatagramHandler& handler;
    const Logger log;
    const UdpListenerOptions options;
    std::uint16_t port = 0;  // constant after open()

    std::atomic<std::uint64_t> datagrams = 0;
    std::atomic<std::uint64_t> bytes = 0;
    std::atomic<std::uint64_t> truncated = 0;
    std::atomic<std::uint64_t> kernel_dropped = 0;
    std::atomic<std::uint64_t> receive_buffer_bytes = 0;

private:
    void prepare_batch();
    [[nodiscard]] bool receive_batch();
    void note_kernel_drops(const msghdr& message);

    // Owned by the strand. Entry i of each list belongs to datagram i of a batch.
    Socket socket_;
    std::vector<char> room_;
    std::vector<iovec> parts_;
    std::vector<std::array<char, kControlBytes>> controls_;
    std::vector<mmsghdr> messages_;
    std::vector<std::string_view> batch_;
};

Result<void> UdpListener::Impl::open() {
    Result<ListenAddress> resolved = resolve_listen_address(options.listen);
    if (!resolved) {
        return resolved.error().with_context(options.listen_setting);
    }
    const udp::endpoint endpoint(resolved->address, resolved->port);
    error_code failure;
    socket_.open(endpoint.protocol(), failure);
    if (!failure && resolved->every_interface && endpoint.protocol() == udp::v6()) {
        socket_.set_option(asio::ip::v6_only(false), failure);
    }
    if (!failure) {
        socket_.bind(endpoint, failure);
    }
    if (failure) {
        return listen_error(options.listen, failure.message(), options.listen_setting);
    }
    port = socket_.local_endpoint(failure).port();
    // Both are wishes: the socket works without them.
    error_code refused;
    const auto wish =
        static_cast<int>(std::min<std::size_t>(options.receive_buffer_bytes, 1U << 30U));
    socket_.set_option(asio::socket_base::receive_buffer_size(wish), refused);
    asio::socket_base::receive_buffer_size got;
    socket_.get_option(got, refused);
    receive_buffer_bytes = static_cast<std::uint64_t>(std::max(0, got.value()));
    const int on = 1;
    static_cast<void>(
        setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)));
    prepare_batch();
    return {};
}

void UdpListener::Impl::prepare_batch() {
    const std::size_t count = std::max<std::size_t>(1, options.batch_max);
    const std::size_t each = std::max<std::size_t>(1, options.datagram_bytes_max);
    room_.resize(count * each);
    parts_.resize(count);
    controls_.resize(count);
    messages_.resize(count);
    batch_.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        parts_[i] = iovec{room_.data() + i * each, each};
    }
}

Task<> UdpListener::Impl::run() {
    for (;;) {
        const auto [failure] = co_await socket_.async_wait(Socket::wait_read, kToken);
        if (failure == asio::error::operation_aborted) {
            co_return;
        }
        if (failure) {
            log.error("cannot wait for datagrams", {{"error", failure.message()}});
            co_return;
        }
        for (int batch = 0; batch < kBatchesPerTurnMax; ++batch) {
            if (!receive_batch()) {
                break;
            }
        }
        const auto executor = socket_.get_executor();
        co_await asio::post(executor, asio::use_awaitable_t<Strand>());
    }
}

// True when the batch was full, so that there may be more.
bool UdpListener::Impl::receive_batch() {
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        messages_[i] = mmsghdr{};
        messages_[i].msg_hdr.msg_iov = &parts_[i];
        messages_[i].msg_hdr.msg_iovlen = 1;
        messages_[i].msg_hdr.msg_control = controls_[i].data();
        messages_[i].msg_hdr.msg_controllen = kControlBytes;
    }
    const int received = recvmmsg(socket_.native_handle(), messages_.data(),
                                  static_cast<unsigned>(messages_.size()), MSG_DONTWAIT, nullptr);
    if (received < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            log.warn("cannot receive datagrams",
                     {{"error", error_code(errno, boost::system::system_category()).message()}});
        }
        return false;
    }
    batch_.clear();
    std::size_t total = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(received); ++i) {
        const mmsghdr& message = messages_[i];
        note_kernel_drops(message.msg_hdr);
        if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
            ++truncated;
            continue;
        }
        batch_.emplace_back(static_cast<const char*>(parts_[i].iov_base), message.msg_len);
        total += message.msg_len;
    }
    datagrams += batch_.size();
    bytes += total;
    if (!batch_.empty()) {
        handler.on_datagrams(batch_);
    }
    return static_cast<std::size_t>(received) == messages_.size();
}

// The kernel sends its total, a 32-bit number, along with each datagram once it is not 0.
void UdpListener::Impl::note_kernel_drops(const msghdr& message) {
    msghdr copy = message;
    for (cmsghdr* part = CMSG_FIRSTHDR(&copy); part != nullptr; part = CMSG_NXTHDR(&copy, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
            std::uint32_t total = 0;
            memcpy(&total, CMSG_DATA(part), sizeof(total));
            const auto before = static_cast<std::uint32_t>(kernel_dropped.load());
            kernel_dropped += static_cast<std::uint32_t>(total - before);
        }
    }
}

UdpListener::UdpListener(const Strand& strand, DatagramHandler& handler, Logger log,
                         UdpListenerOptions options)
    : impl_(std::make_unique<Impl>(strand, handler, std::move(log), std::move(options))) {
}

UdpListener::~UdpListener() = default;

Result<void> UdpListener::open() {
    return impl_->open();
}

Task<> UdpListener::run() {
    return impl_->run();
}

std::uint16_t UdpListener::port() const {
    return impl_->port;
}

UdpListenerStats UdpListener::stats() const {
    UdpListenerStats stats;
    stats.datagrams_total = impl_->datagrams;
    stats.bytes_total = impl_->bytes;
    stats.truncated_total = impl_->truncated;
    stats.kernel_dropped_total = impl_->kernel_dropped;
    stats.receive_buffer_bytes = impl_->receive_buffer_bytes;
    return stats;
}

}  // namespace kpid::net
