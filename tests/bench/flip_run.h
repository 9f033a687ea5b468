#pragma once
// Flipping a value at random moments and timing the webhooks that tell of it.

#include "bench/loopback_http.h"
#include "kpid/base/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kpid::bench {

struct FlipOptions {
    std::size_t flips = 200;
    std::uint64_t seed = 1;
    /// From one flip to the next; a flip also waits for the webhook of the one before.
    std::chrono::milliseconds pause_min{20};
    std::chrono::milliseconds pause_max{120};
    /// Further flips before these, not timed: they open connections and fill caches.
    std::size_t warm_up_flips = 10;
    /// A flip whose webhook has not come by then is lost.
    std::chrono::seconds webhook_max{5};
};

/// What one program did.
struct FlipReport {
    std::string name;
    std::vector<double> latencies_ms;  ///< One for each flip that was not lost, in order.
    std::size_t flips = 0;
    std::size_t lost = 0;
    std::size_t unasked = 0;      ///< Webhooks that no flip explains.
    double cpu_seconds = 0;       ///< User and system, of the timed flips and the pauses between.
    double run_seconds = 0;       ///< How long these took.
    std::size_t connections = 0;  ///< That the webhooks came over.
};

/// The latency that `share` of the flips (0 to 1) did not exceed; 0 without flips.
[[nodiscard]] double latency_quantile(const FlipReport& report, double share);

/// How a run reaches the program under test.
struct FlipSubject {
    std::string name;
    /// Sends the value and waits for the acknowledgement.
    std::function<Result<void>(double)> push;
    std::function<double()> cpu_seconds;
};

/// Flips the subject's value above and below 5 and waits at `sink` for "firing" and "resolved". The
/// time of a flip begins before its request is sent. An error when a push is refused; ends early
/// when three flips in succession are lost, which then count as all that were left.
[[nodiscard]] Result<FlipReport> run_flips(const FlipSubject& subject, WebhookSink& sink,
                                           const FlipOptions& options);

/// kpid by push over one kept connection.
[[nodiscard]] Result<FlipReport> run_kpid(const std::string& program, const FlipOptions& options);

/// Where the peer's two programs lie.
struct PeerPrograms {
    std::string prometheus;
    std::string alertmanager;
};
/// Prometheus by remote write, evaluating every 100 ms, with Alertmanager at its fastest.
[[nodiscard]] Result<FlipReport> run_prometheus(const PeerPrograms& programs,
                                                const FlipOptions& options);

}  // namespace kpid::bench
