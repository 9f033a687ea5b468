#pragma once
// "host:port" as it stands in settings.

#include "kpid/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::net {

/// Where to listen or connect.
struct Address {
    std::string host;  ///< A name or an IP address without brackets; empty is every interface.
    std::uint16_t port = 0;  ///< 0 lets the system choose when listening.
    bool operator==(const Address&) const = default;
};

/// Reads "127.0.0.1:9731", "localhost:80", ":9731", "[::1]:0". The port is required.
[[nodiscard]] Result<Address> parse_address(std::string_view text);
/// The same text again, an IPv6 host in brackets.
[[nodiscard]] std::string to_string(const Address& address);

}  // namespace kpid::net
