// Mirrors counters into the registry.
#include "app/component_metrics.h"

#include <utility>

namespace kpid::app {

prometheus::Family<prometheus::Counter>& ComponentMetrics::counters(const char* name,
                                                                    const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
}

prometheus::Gauge& ComponentMetrics::gauge(const char* name, const char* help,
                                           const std::map<std::string, std::string>& labels) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

ComponentMetrics::ComponentMetrics(prometheus::Registry& registry, const storage::Storage& storage)
    : storage_(storage),
      registry_(registry),
      series_(gauge("kpid_storage_series", "Series known now.")),
      samples_(gauge("kpid_storage_samples", "Samples in memory.")),
      bytes_(gauge("kpid_storage_memory_bytes", "Memory of samples and label sets, estimated.")),
      healthy_(gauge("kpid_storage_healthy", "1 while what is appended can be written.")),
      connections_(gauge("kpid_http_connections_open", "Open connections.")),
      workers_queued_(gauge("kpid_worker_queue_length", "Tasks that wait for a worker.",
                            {{"pool", "workers"}})),
      queries_queued_(gauge("kpid_worker_queue_length", "Tasks that wait for a worker.",
                            {{"pool", "queries"}})),
      appended_(counters("kpid_storage_samples_appended_total", "Samples stored.").Add({})),
      commits_(counters("kpid_storage_commits_total", "Groups of appends written.").Add({})),
      log_bytes_(counters("kpid_storage_log_bytes_total", "Bytes written to the log.").Add({})),
      write_failures_(
          counters("kpid_storage_write_failures_total", "Groups of appends that the disk refused.")
              .Add({})),
      queue_refusals_(
          counters("kpid_storage_queue_refusals_total", "Appends refused since too many waited.")
              .Add({})),
      requests_(counters("kpid_http_server_requests_total", "Requests handled.").Add({})),
      requests_refused_(counters("kpid_http_server_requests_refused_total",
                                 "Requests malformed, too large or too slow.")
                            .Add({})),
      connections_refused_(
          counters("kpid_http_server_connections_refused_total", "Connections above the limit.")
              .Add({})),
      rejected_(counters("kpid_storage_samples_rejected_total", "Samples refused, by reason.")) {
}

void ComponentMetrics::mirror(prometheus::Counter& counter, std::uint64_t value) {
    const std::uint64_t before = std::exchange(mirrored_[&counter], value);
    counter.Increment(static_cast<double>(value - before));
}

void ComponentMetrics::update(const net::HttpServerStats& server, const net::WorkerPool& workers,
                              const net::WorkerPool& queries) {
    const MutexLock lock(mutex_);
    const storage::StorageStats stats = storage_.stats();
    series_.Set(static_cast<double>(stats.series));
    samples_.Set(static_cast<double>(stats.samples_in_memory));
    bytes_.Set(static_cast<double>(stats.bytes_in_memory()));
    healthy_.Set(storage_.health() ? 1 : 0);
    connections_.Set(static_cast<double>(server.connections_open));
    workers_queued_.Set(static_cast<double>(workers.queued()));
    queries_queued_.Set(static_cast<double>(queries.queued()));
    mirror(appended_, stats.samples_appended_total);
    mirror(commits_, stats.commits_total);
    mirror(log_bytes_, stats.log_bytes_total);
    mirror(write_failures_, stats.write_failures_total);
    mirror(queue_refusals_, stats.queue_refusals_total);
    mirror(requests_, server.requests_total);
    mirror(requests_refused_, server.requests_refused_total);
    mirror(connections_refused_, server.connections_refused_total);
    for (const model::RejectReason reason : storage::kRejectReasons) {
        mirror(rejected_.Add({{"reason", std::string(model::to_string(reason))}}),
               stats.rejected(reason));
    }
}

}  // namespace kpid::app
