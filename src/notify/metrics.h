#pragma once
// What delivery says of itself.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

namespace kpid::notify {

/// The registry outlives this. Thread-safe.
struct Metrics {
    explicit Metrics(prometheus::Registry& registry);

    /// The counters of a receiver exist at 0 from here on.
    void add_receiver(const std::string& receiver);

    prometheus::Family<prometheus::Counter>& notifications;  ///< By receiver: delivered.
    prometheus::Family<prometheus::Counter>& failed;         ///< By receiver and reason.
    prometheus::Family<prometheus::Gauge>& pending;          ///< By receiver.
    prometheus::Family<prometheus::Counter>& attempts;       ///< By receiver.
    prometheus::Histogram& latency;
    prometheus::Counter& store_failures;
    prometheus::Counter& alerts_refused;
    prometheus::Family<prometheus::Counter>& alertmanager_sent;     ///< Alerts, by peer.
    prometheus::Family<prometheus::Counter>& alertmanager_errors;   ///< Posts, by peer.
    prometheus::Family<prometheus::Counter>& alertmanager_dropped;  ///< Alerts, by peer.
};

/// Values of the label `reason` of kpid_notifications_failed_total.
inline constexpr const char* kFailedGaveUp = "gave_up";
inline constexpr const char* kFailedGone = "gone";
inline constexpr const char* kFailedNoReceiver = "no_receiver";
inline constexpr const char* kFailedOutboxFull = "outbox_full";
inline constexpr const char* kFailedTooLarge = "too_large";
inline constexpr const char* kFailedDropped = "dropped";

}  // namespace kpid::notify
