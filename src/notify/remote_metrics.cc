// Registers the metrics of remote write's sending side.
#include "notify/remote_metrics.h"

namespace kpid::notify {
namespace {

prometheus::Family<prometheus::Counter>& counters(prometheus::Registry& registry, const char* name,
                                                  const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

prometheus::Family<prometheus::Gauge>& gauges(prometheus::Registry& registry, const char* name,
                                              const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

RemoteMetrics::RemoteMetrics(prometheus::Registry& registry)
    : samples_(counters(registry, "kpid_remote_write_samples_total",
                        "Samples that the remote acknowledged.")),
      failed_(counters(registry, "kpid_remote_write_samples_failed_total",
                       "Samples that were given up since the remote refused them, by status.")),
      retried_(counters(registry, "kpid_remote_write_samples_retried_total",
                        "Samples of requests that had to be sent again, each time.")),
      dropped_(counters(registry, "kpid_remote_write_samples_dropped_total",
                        "Samples not sent: dropped by relabelling, or beyond the age limit.")),
      lost_records_(counters(registry, "kpid_remote_write_lost_records_total",
                             "Records of the log that were gone before they could be sent.")),
      sent_bytes_(counters(registry, "kpid_remote_write_sent_bytes_total",
                           "Bytes of bodies posted, packed, each time.")),
      metadata_(counters(registry, "kpid_remote_write_metadata_total",
                         "Metadata of families that the remote acknowledged.")),
      metadata_failed_(counters(registry, "kpid_remote_write_metadata_failed_total",
                                "Metadata of families that the remote did not take.")),
      pending_(gauges(registry, "kpid_remote_write_samples_pending",
                      "Samples that wait in memory, or are in a request.")),
      shards_(gauges(registry, "kpid_remote_write_shards", "Requests that may run at once.")),
      highest_sent_(gauges(registry, "kpid_remote_write_highest_sent_timestamp_seconds",
                           "The newest sample that the remote acknowledged.")),
      highest_in_(gauges(registry, "kpid_remote_write_highest_timestamp_in_seconds",
                         "The newest sample stored of those that the remote is to get.")) {
}

RemoteSeries RemoteMetrics::series(const std::string& remote_name, const std::string& url) {
    const prometheus::Labels labels{{"remote_name", remote_name}, {"url", url}};
    const auto dropped = [&](const char* reason) -> prometheus::Counter& {
        return dropped_.Add({{"remote_name", remote_name}, {"url", url}, {"reason", reason}});
    };
    add_failed(remote_name, url, 400, 0);
    return {.samples = samples_.Add(labels),
            .retried = retried_.Add(labels),
            .relabelled = dropped("relabelled"),
            .too_old = dropped("too_old"),
            .lost_records = lost_records_.Add(labels),
            .sent_bytes = sent_bytes_.Add(labels),
            .metadata = metadata_.Add(labels),
            .metadata_failed = metadata_failed_.Add(labels),
            .pending = pending_.Add(labels),
            .shards = shards_.Add(labels),
            .highest_sent = highest_sent_.Add(labels),
            .highest_in = highest_in_.Add(labels)};
}

void RemoteMetrics::add_failed(const std::string& remote_name, const std::string& url,
                               unsigned status, double samples) {
    failed_.Add({{"remote_name", remote_name}, {"url", url}, {"reason", std::to_string(status)}})
        .Increment(samples);
}

}  // namespace kpid::notify
