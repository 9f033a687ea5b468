// Reading and writing "host:port".

#include "net/address.h"

#include <fmt/format.h>

#include <charconv>

namespace kpid::net {
namespace {

Result<std::uint16_t> parse_port(std::string_view text, std::string_view whole) {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || failure != std::errc() || end != text.data() + text.size()) {
        return invalid_argument(fmt::format("address \"{}\": port must be 0 to 65535", whole));
    }
    return port;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return invalid_argument(fmt::format("address \"{}\": want host:port", text));
    }
    KPID_TRY(const std::uint16_t port, parse_port(text.substr(colon + 1), text));
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[');
    if (bracketed) {
        if (!host.ends_with(']') || host.size() < 3) {
            return invalid_argument(fmt::format("address \"{}\": want [IPv6]:port", text));
        }
        host = host.substr(1, host.size() - 2);
    }
    const bool has_colon = host.find(':') != std::string_view::npos;
    if (has_colon != bracketed || host.find_first_of("[]/ \t") != std::string_view::npos) {
        return invalid_argument(
            fmt::format("address \"{}\": want host:port, an IPv6 host in brackets", text));
    }
    return Address{std::string(host), port};
}

std::string to_string(const Address& address) {
    const bool is_ipv6 = address.host.find(':') != std::string::npos;
    return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                   : fmt::format("{}:{}", address.host, address.port);
}

}  // namespace kpid::net
