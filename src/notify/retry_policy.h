#pragma once
// What an attempt's outcome means, and how long to wait for the next one.

#include "kpid/base/time.h"
#include "net/http_client.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace kpid::notify {

/// The first wait is at most kBackoffMin; the bound doubles with each attempt up to kBackoffMax.
inline constexpr Duration kBackoffMin = std::chrono::seconds(1);
inline constexpr Duration kBackoffMax = std::chrono::minutes(5);
/// A receiver may ask for at most this much patience.
inline constexpr Duration kRetryAfterMax = std::chrono::hours(1);

enum class Verdict {
    kDelivered,  ///< 2xx.
    kRetry,      ///< Everything else: the receiver may be mended while we wait.
    kGiveUp,     ///< 410: the receiver says that it is gone for good.
};

struct Outcome {
    Verdict verdict = Verdict::kRetry;
    unsigned code = 0;
    std::string error;                    ///< For people; empty when delivered.
    std::optional<Duration> retry_after;  ///< What the receiver asked for.
};

[[nodiscard]] Outcome judge(const Result<net::HttpClientResponse>& answer, Timestamp now);
/// `Retry-After` as seconds or as an HTTP date, at most kRetryAfterMax; nothing when it is neither.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text, Timestamp now);
/// Exponential back-off with jitter: between half and all of min(kBackoffMin * 2^(attempt -
/// 1), kBackoffMax); never less than what the receiver asked for.
[[nodiscard]] Duration next_wait(std::uint64_t attempt, const Outcome& outcome,
                                 std::mt19937_64& random);

}  // namespace kpid::notify
