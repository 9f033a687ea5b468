#pragma once
// Instants and spans, and their texts: RFC 3339 and Prometheus durations.

#include "kpid/base/result.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace kpid {

/// A span of time; the resolution of everything kpid stores.
using Duration = std::chrono::milliseconds;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, as Prometheus counts them. A plain value.
class Timestamp {
public:
    constexpr Timestamp() = default;
    constexpr explicit Timestamp(std::int64_t milliseconds) : ms_(milliseconds) {}
    [[nodiscard]] static constexpr Timestamp min() {
        return Timestamp(std::numeric_limits<std::int64_t>::min());
    }
    [[nodiscard]] static constexpr Timestamp max() {
        return Timestamp(std::numeric_limits<std::int64_t>::max());
    }

    [[nodiscard]] constexpr std::int64_t ms() const { return ms_; }
    /// Seconds since the epoch, as the HTTP API writes them.
    [[nodiscard]] constexpr double seconds() const { return static_cast<double>(ms_) / 1000.0; }

    constexpr auto operator<=>(const Timestamp&) const = default;
    constexpr Timestamp& operator+=(Duration d) {
        ms_ += d.count();
        return *this;
    }
    constexpr Timestamp& operator-=(Duration d) {
        ms_ -= d.count();
        return *this;
    }
    friend constexpr Timestamp operator+(Timestamp t, Duration d) { return t += d; }
    friend constexpr Timestamp operator-(Timestamp t, Duration d) { return t -= d; }
    friend constexpr Duration operator-(Timestamp a, Timestamp b) {
        return Duration(a.ms_ - b.ms_);
    }

private:
    std::int64_t ms_ = 0;
};

/// "2026-07-01T12:00:00.000Z": UTC, always with milliseconds. Beyond the years 0 to 9999 the
/// closest end of them.
[[nodiscard]] std::string format_rfc3339(Timestamp t);
/// Reads RFC 3339 with `Z` or an offset, any number of fractional digits (cut to milliseconds).
[[nodiscard]] Result<Timestamp> parse_rfc3339(std::string_view text);
/// Reads RFC 3339 or Unix seconds with a fraction ("1435781451.781"), as the HTTP API takes times.
[[nodiscard]] Result<Timestamp> parse_time(std::string_view text);
/// Seconds with a fraction to an instant, rounded to the nearest millisecond; an error when not
/// finite or out of range.
[[nodiscard]] Result<Timestamp> timestamp_from_seconds(double seconds);

/// Reads a Prometheus duration: "0", "1h30m", "2w1d", "800ms"; units y w d h m s ms, each once, in
/// that order; y is 365 days. Errors are worded as Prometheus words them.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// Writes it as Prometheus does: "1h30m", "0s", "1w"; negative values get a leading "-".
[[nodiscard]] std::string format_duration(Duration d);

}  // namespace kpid
