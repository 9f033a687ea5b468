#pragma once
// The words of the language: numbers with suffixes, spans, ids, addresses, secrets.

#include "kpid/base/result.h"
#include "kpid/base/time.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kpid::config {

/// A number in base units: `0.2`, `20%` (0.2), `5k`, `2M`, `1G`, `1.5KiB`, `800ms` (0.8), `2w`,
/// `6mo` (see parse_span). Not-finite numbers are refused.
[[nodiscard]] Result<double> parse_quantity(std::string_view text);
/// A whole number from 0: `500`, `2M`, `32MiB`.
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text);
/// A size as Prometheus writes it, all units powers of 1024: `10MB`, `32MiB`, `1024`, `1KB`.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
/// A Prometheus duration, or a calendar one where only its length is asked: `6mo` is 180 days, `1q`
/// 90 days. (`w` and `y` are Prometheus' own: 7 and 365 days.)
[[nodiscard]] Result<Duration> parse_span(std::string_view text);

/// `[a-z][a-z0-9_]*`
[[nodiscard]] bool is_id(std::string_view text);
/// `2026-07-01` or a named period: `2026-05`, `2026-Q3`, `2026-H1`, `2026-FY`, `2026-W31`.
[[nodiscard]] bool is_date_or_period(std::string_view text);
/// Nothing when `text` is `host:port` (`[::1]:80`, `:80`), else why not.
[[nodiscard]] Result<void> check_listen_address(std::string_view text);
/// Where a server that listens on `address`, a good listen address, is found: `http://host:port`,
/// with `host_name` where the address is every interface. Empty when the port or the host is not
/// known.
[[nodiscard]] std::string url_of_listener(std::string_view address, std::string_view host_name);
/// Nothing when `text` is an absolute http or https URL with a host, else why not.
[[nodiscard]] Result<void> check_url(std::string_view text);
/// Nothing when `text` is base64 of 24 to 64 bytes, with or without `whsec_`, else why not, without
/// the secret.
[[nodiscard]] Result<void> check_secret(std::string_view text);

/// `$$` becomes `$`, `${NAME}` and `${NAME:-default}` what the function gives; anything else stays.
/// The error names the variable that is not set.
[[nodiscard]] Result<std::string> expand_environment(
    std::string_view text,
    const std::function<std::optional<std::string>(const std::string&)>& lookup);

/// The candidate closest to `word`, when it is close enough to be meant; else "".
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace kpid::config
