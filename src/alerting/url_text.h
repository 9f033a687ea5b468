#pragma once
// Parts of URLs and host names as text.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kpid::alerting {

/// Go's url.QueryEscape: a blank is `+`.
[[nodiscard]] std::string escape_query(std::string_view text);
/// `/prometheus` of `http://host:9090/prometheus`; "" when there is none.
[[nodiscard]] std::string_view path_of_url(std::string_view url);
/// `host:port` or `[host]:port`; nothing when it is neither.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> split_host_port(
    std::string_view text);
/// An IPv4 or IPv6 address.
[[nodiscard]] bool is_ip_address(std::string_view text);

}  // namespace kpid::alerting
