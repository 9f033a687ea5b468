// Resolving addresses to bind.

#include "net/resolve.h"

#include "net/token.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

namespace kpid::net {
namespace {

bool has_ipv6() {
    asio::io_context io;
    asio::ip::tcp::acceptor probe(io);
    error_code failure;
    probe.open(asio::ip::tcp::v6(), failure);
    if (!failure) {
        probe.bind({asio::ip::address_v6::any(), 0}, failure);
    }
    return !failure;
}

}  // namespace

Result<ListenAddress> resolve_listen_address(std::string_view text) {
    KPID_TRY(const Address parsed, parse_address(text));
    if (parsed.host.empty()) {
        const asio::ip::address any = has_ipv6() ? asio::ip::address(asio::ip::address_v6::any())
                                                 : asio::ip::address(asio::ip::address_v4::any());
        return ListenAddress{any, parsed.port, true};
    }
    if (parsed.host == "localhost") {
        return ListenAddress{asio::ip::address_v4::loopback(), parsed.port, false};
    }
    error_code failure;
    const asio::ip::address numeric = asio::ip::make_address(parsed.host, failure);
    if (!failure) {
        return ListenAddress{numeric, parsed.port, false};
    }
    asio::io_context io;
    asio::ip::tcp::resolver resolver(io);
    const auto found = resolver.resolve(parsed.host, std::to_string(parsed.port), failure);
    if (failure || found.empty()) {
        return invalid_argument(fmt::format("cannot resolve host \"{}\": {}", parsed.host,
                                            failure ? failure.message() : "no address"));
    }
    return ListenAddress{found.begin()->endpoint().address(), parsed.port, false};
}

Error listen_error(std::string_view address, std::string_view reason, std::string_view setting) {
    return unavailable(
        fmt::format("cannot listen on {}: {} (change it with {})", address, reason, setting));
}

}  // namespace kpid::net
