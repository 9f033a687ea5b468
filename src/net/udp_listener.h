#pragma once
// Receives datagrams in batches.

#include "kpid/base/log.h"
#include "kpid/base/result.h"
#include "net/task.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace kpid::net {

/// Takes datagrams.
class DatagramHandler {
public:
    virtual ~DatagramHandler() = default;
    /// Called on the listener's strand with at least one datagram; the bytes are valid during the
    /// call. Must be quick: what comes meanwhile waits in the socket's buffer, then is dropped by
    /// the kernel.
    virtual void on_datagrams(std::span<const std::string_view> datagrams) = 0;
};

struct UdpListenerOptions {
    std::string listen = "127.0.0.1:8125";         ///< "host:port"; port 0 is any free one.
    std::string listen_setting = "listen";         ///< Named when the address cannot be had.
    std::size_t datagram_bytes_max = 65'535;       ///< Longer ones are dropped whole and counted.
    std::size_t batch_max = 64;                    ///< Datagrams for one call.
    std::size_t receive_buffer_bytes = 8U << 20U;  ///< SO_RCVBUF; the kernel may give less.
};

struct UdpListenerStats {
    std::uint64_t datagrams_total = 0;
    std::uint64_t bytes_total = 0;
    std::uint64_t truncated_total = 0;       ///< Longer than datagram_bytes_max.
    std::uint64_t kernel_dropped_total = 0;  ///< The socket's buffer was full.
    std::uint64_t receive_buffer_bytes = 0;  ///< What the kernel gave.
};

/// A bound UDP socket. open(), then run() in a TaskGroup on the strand given here; run() ends when
/// that group is stopped. stats() is thread-safe.
class UdpListener {
public:
    UdpListener(const Strand& strand, DatagramHandler& handler, Logger log,
                UdpListenerOptions options);
    ~UdpListener();
    UdpListener(const UdpListener&) = delete;
    UdpListener& operator=(const UdpListener&) = delete;

    /// Binds. An error names the address and options.listen_setting.
    [[nodiscard]] Result<void> open();
    /// Receives until it is cancelled. The listener outlives it.
    [[nodiscard]] Task<> run();

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] UdpListenerStats stats() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kpid::net
