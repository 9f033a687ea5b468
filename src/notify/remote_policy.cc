// Answers, waits and shards.
#include "notify/remote_policy.h"

#include "notify/retry_policy.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::notify {
namespace {

constexpr std::size_t kErrorLineShown = 256;
constexpr std::uint64_t kDoublingsMax = 20;
constexpr double kHeldUpShare = 0.5;
constexpr double kIdleShare = 0.25;

std::string first_line(const std::string& body) {
    return body.substr(0, std::min(body.find_first_of("\r\n"), kErrorLineShown));
}

}  // namespace

WriteOutcome judge_write(const Result<net::HttpClientResponse>& answer, bool retry_on_http_429,
                         Timestamp now) {
    if (!answer) {
        return {.verdict = WriteVerdict::kRetry, .error = answer.error().message};
    }
    WriteOutcome outcome{.code = answer->status};
    if (answer->status >= 200 && answer->status < 300) {
        outcome.verdict = WriteVerdict::kDelivered;
        return outcome;
    }
    outcome.error = fmt::format("the remote answered {} {}: {}", answer->status,
                                net::reason_phrase(answer->status), first_line(answer->body));
    if (answer->status < 500 && !(answer->status == 429 && retry_on_http_429)) {
        outcome.verdict = WriteVerdict::kGiveUp;
    } else if (const auto header = answer->headers.get(net::header::kRetryAfter)) {
        outcome.retry_after = parse_retry_after(*header, now);
    }
    return outcome;
}

Duration write_wait(std::uint64_t attempts, const config::RemoteWriteQueueConfig& queue,
                    const WriteOutcome& outcome, std::mt19937_64& random) {
    const std::uint64_t doublings = std::min(attempts == 0 ? 0 : attempts - 1, kDoublingsMax);
    const std::int64_t most = queue.max_backoff.count();
    const std::int64_t ceiling = queue.min_backoff.count() > (most >> doublings)
                                     ? most
                                     : queue.min_backoff.count() << doublings;
    std::uniform_int_distribution<std::int64_t> jitter((ceiling + 1) / 2, ceiling);
    const Duration wait(jitter(random));
    return std::max(wait, outcome.retry_after.value_or(Duration(0)));
}

std::size_t wanted_shards(std::size_t shards, const config::RemoteWriteQueueConfig& queue,
                          const ShardLoad& load) {
    std::size_t wanted = shards;
    if (!load.failed && load.held_up > kHeldUpShare) {
        wanted = shards * 2;
    } else if (!load.failed && load.busy < kIdleShare) {
        wanted = (shards + 1) / 2;
    }
    return std::clamp(wanted, static_cast<std::size_t>(queue.min_shards),
                      static_cast<std::size_t>(queue.max_shards));
}

}  // namespace kpid::notify
