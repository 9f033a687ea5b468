// Outcomes and back-off.
#include "notify/retry_policy.h"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace kpid::notify {
namespace {

constexpr std::size_t kErrorBodyShown = 200;

std::string body_excerpt(const std::string& body) {
    std::string excerpt = body.substr(0, kErrorBodyShown);
    std::replace(excerpt.begin(), excerpt.end(), '\n', ' ');
    return excerpt;
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view text, Timestamp now) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) {
        constexpr std::int64_t kSecondsMax =
            std::chrono::duration_cast<std::chrono::seconds>(kRetryAfterMax).count();
        std::int64_t seconds = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        const bool is_small = error == std::errc{} && seconds < kSecondsMax;
        return std::chrono::seconds(is_small ? seconds : kSecondsMax);
    }
    std::istringstream in{std::string(text)};
    date::sys_seconds point;
    in >> date::parse("%a, %d %b %Y %T GMT", point);
    if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) {
        return std::nullopt;
    }
    const Timestamp at(point.time_since_epoch().count() * 1000);
    return std::clamp(at - now, Duration(0), kRetryAfterMax);
}

Outcome judge(const Result<net::HttpClientResponse>& answer, Timestamp now) {
    if (!answer) {
        return {.verdict = Verdict::kRetry, .error = answer.error().message};
    }
    Outcome outcome{.code = answer->status};
    if (answer->status >= 200 && answer->status < 300) {
        outcome.verdict = Verdict::kDelivered;
        return outcome;
    }
    outcome.error = fmt::format("the receiver answered {} {}: {}", answer->status,
                                net::reason_phrase(answer->status), body_excerpt(answer->body));
    if (answer->status == 410) {
        outcome.verdict = Verdict::kGiveUp;
    } else if (const auto header = answer->headers.get(net::header::kRetryAfter)) {
        outcome.retry_after = parse_retry_after(*header, now);
    }
    return outcome;
}

Duration next_wait(std::uint64_t attempt, const Outcome& outcome, std::mt19937_64& random) {
    const std::uint64_t doublings = std::min<std::uint64_t>(attempt == 0 ? 0 : attempt - 1, 20);
    const std::int64_t ceiling = std::min(kBackoffMin.count() << doublings, kBackoffMax.count());
    std::uniform_int_distribution<std::int64_t> jitter(ceiling / 2, ceiling);
    const Duration wait(jitter(random));
    return std::max(wait, outcome.retry_after.value_or(Duration(0)));
}

}  // namespace kpid::notify
