#pragma once
// What a remote's answers mean, how long to wait after them, and how many requests run at once.

#include "config/remote_write.h"
#include "net/http_client.h"

#include <cstddef>
#include <optional>
#include <random>
#include <string>

namespace kpid::notify {

enum class WriteVerdict {
    kDelivered,  ///< 2xx.
    kRetry,      ///< No answer, 5xx, and 429 where that is asked for: the same again, for ever.
    kGiveUp,     ///< Any other answer: the same request would never be taken.
};

struct WriteOutcome {
    WriteVerdict verdict = WriteVerdict::kRetry;
    unsigned code = 0;                    ///< Of the answer; 0 when there was none.
    std::string error;                    ///< For people; empty when delivered.
    std::optional<Duration> retry_after;  ///< What the remote asked for.
};
[[nodiscard]] WriteOutcome judge_write(const Result<net::HttpClientResponse>& answer,
                                       bool retry_on_http_429, Timestamp now);

/// Before attempt 2, 3, …: between half and all of min_backoff * 2^(attempts - 1), at most
/// max_backoff; never less than what the remote asked for. `attempts`: how many failed, from 1.
[[nodiscard]] Duration write_wait(std::uint64_t attempts,
                                  const config::RemoteWriteQueueConfig& queue,
                                  const WriteOutcome& outcome, std::mt19937_64& random);

/// How the shards fared since it was last asked; shares are from 0 to 1.
struct ShardLoad {
    double held_up = 0;   ///< Of the time, in which reading waited since the queue was full.
    double busy = 0;      ///< Of the shards' time, in which requests ran.
    bool failed = false;  ///< A request had to be sent again.
};
/// Twice as many shards when the queue was full for more than half of the time, half as many when
/// it was not and less than a quarter of their time was used; as many when requests failed: more
/// requests do not help a remote that is down. Within [min_shards, max_shards].
[[nodiscard]] std::size_t wanted_shards(std::size_t shards,
                                        const config::RemoteWriteQueueConfig& queue,
                                        const ShardLoad& load);

}  // namespace kpid::notify
