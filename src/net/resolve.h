#pragma once
// From "host:port" to an address to bind. Used once per listener, at its start.

#include "kpid/base/result.h"
#include "net/address.h"

#include <boost/asio/ip/address.hpp>

#include <cstdint>
#include <string_view>

namespace kpid::net {

struct ListenAddress {
    boost::asio::ip::address address;
    std::uint16_t port = 0;
    bool every_interface = false;  ///< IPv6 sockets then take IPv4 too.
};

/// Reads and resolves the text. May block on a name that is not "localhost". An empty host is [::],
/// or 0.0.0.0 where there is no IPv6.
[[nodiscard]] Result<ListenAddress> resolve_listen_address(std::string_view text);

/// "cannot listen on 127.0.0.1:80: Permission denied (change it with --web.listen-address)".
[[nodiscard]] Error listen_error(std::string_view address, std::string_view reason,
                                 std::string_view setting);

}  // namespace kpid::net
