#pragma once
// Go's texts of instants and spans, in UTC.

#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::alerting {

/// `2015-06-23 13:19:44.128 +0000 UTC`: time.Time's String.
[[nodiscard]] std::string format_instant(std::int64_t nanoseconds);
/// By a layout of Go: `2006-01-02 15:04:05.000`.
[[nodiscard]] std::string format_instant(std::int64_t nanoseconds, std::string_view layout);
/// `1h30m0s`, `1.5ms`: time.Duration's String.
[[nodiscard]] std::string format_span(std::int64_t nanoseconds);

}  // namespace kpid::alerting
