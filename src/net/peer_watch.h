#pragma once
// Notices a peer that hangs up while its request is handled.

#include "net/http_connection.h"

#include <memory>
#include <stop_token>

namespace kpid::net {

/// Watches an idle socket from its construction to its destruction, both on the socket's strand.
/// A peer that closed, even its sending side alone, is taken to wait for no answer. A peer that
/// sends more (a pipelined request) is watched no longer.
class PeerWatch {
public:
    /// Borrows the socket, on which no other operation may run meanwhile.
    explicit PeerWatch(TcpSocket& socket);
    ~PeerWatch();
    PeerWatch(const PeerWatch&) = delete;
    PeerWatch& operator=(const PeerWatch&) = delete;

    /// Set once the peer is gone.
    [[nodiscard]] std::stop_token gone() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kpid::net
