// Registers delivery's metrics.
#include "notify/metrics.h"

namespace kpid::notify {
namespace {

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const char* name,
                                                  const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

Metrics::Metrics(prometheus::Registry& registry)
    : notifications(
          counters(registry, "kpid_notifications_total", "Messages that a receiver acknowledged.")),
      failed(counters(registry, "kpid_notifications_failed_total",
                      "Messages that were given up, by reason.")),
      pending(prometheus::BuildGauge()
                  .Name("kpid_notifications_pending")
                  .Help("Messages in the outbox.")
                  .Register(registry)),
      attempts(counters(registry, "kpid_notification_attempts_total", "Requests to receivers.")),
      latency(prometheus::BuildHistogram()
                  .Name("kpid_notification_latency_seconds")
                  .Help("From the acceptance of the sample to the receiver's acknowledgement.")
                  .Register(registry)
                  .Add({}, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.002, 0.005,
                                                                   0.01, 0.02, 0.05, 0.1, 0.5, 1, 5,
                                                                   30, 300})),
      store_failures(counters(registry, "kpid_notification_store_failures_total",
                              "Writes of alerts and messages that storage refused.")
                         .Add({})),
      alerts_refused(counters(registry, "kpid_notification_alerts_refused_total",
                              "Alerts that found no room in their group.")
                         .Add({})),
      alertmanager_sent(counters(registry, "kpid_alertmanager_alerts_sent_total",
                                 "Alerts that an Alertmanager took.")),
      alertmanager_errors(counters(registry, "kpid_alertmanager_errors_total",
                                   "Posts to an Alertmanager that failed.")),
      alertmanager_dropped(counters(registry, "kpid_alertmanager_alerts_dropped_total",
                                    "Alerts dropped since an Alertmanager's queue was full.")) {
}

void Metrics::add_receiver(const std::string& receiver) {
    notifications.Add({{"receiver", receiver}});
    attempts.Add({{"receiver", receiver}});
    pending.Add({{"receiver", receiver}});
    for (const char* reason : {kFailedGaveUp, kFailedGone, kFailedNoReceiver, kFailedOutboxFull,
                               kFailedTooLarge, kFailedDropped}) {
        failed.Add({{"receiver", receiver}, {"reason", reason}});
    }
}

}  // namespace kpid::notify
