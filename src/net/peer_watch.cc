// Waits until the socket can be read and looks whether that is its end.
#include "net/peer_watch.h"

#include "net/token.h"

#include <cerrno>
#include <sys/socket.h>

namespace kpid::net {

struct PeerWatch::State {
    std::stop_source gone;
    TcpSocket* socket = nullptr;  // null once the watch has ended

    void look() {
        char next = 0;
        const ssize_t size = ::recv(socket->native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
        const bool has_more = size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
        if (!has_more) {
            gone.request_stop();
        }
    }
};

PeerWatch::PeerWatch(TcpSocket& socket) : state_(std::make_shared<State>()) {
    state_->socket = &socket;
    socket.async_wait(TcpSocket::wait_read, [state = state_](const error_code& failure) {
        if (!failure && state->socket != nullptr) {
            state->look();
        }
    });
}

PeerWatch::~PeerWatch() {
    error_code ignored;
    state_->socket->cancel(ignored);
    state_->socket = nullptr;
}

std::stop_token PeerWatch::gone() const {
    return state_->gone.get_token();
}

}  // namespace kpid::net
