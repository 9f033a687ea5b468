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
      storage_metrics_(registry),
      connections_(gauge("kpid_http_connections_open", "Open connections.")),
      workers_queued_(gauge("kpid_worker_queue_length", "Tasks that wait for a worker.",
                            {{"pool", "workers"}})),
      queries_queued_(gauge("kpid_worker_queue_length", "Tasks that wait for a worker.",
                            {{"pool", "queries"}})),
      requests_(counters("kpid_http_server_requests_total", "Requests handled.").Add({})),
      requests_refused_(counters("kpid_http_server_requests_refused_total",
                                 "Requests malformed, too large or too slow.")
                            .Add({})),
      connections_refused_(
          counters("kpid_http_server_connections_refused_total", "Connections above the limit.")
              .Add({})) {
}

void ComponentMetrics::mirror(prometheus::Counter& counter, std::uint64_t value) {
    const std::uint64_t before = std::exchange(mirrored_[&counter], value);
    counter.Increment(static_cast<double>(value - before));
}

void ComponentMetrics::update(const net::HttpServerStats& server, const net::WorkerPool& workers,
                              const net::WorkerPool& queries) {
    const MutexLock lock(mutex_);
    storage_metrics_.update(storage_.stats(), storage_.health().has_value());
    connections_.Set(static_cast<double>(server.connections_open));
    workers_queued_.Set(static_cast<double>(workers.queued()));
    queries_queued_.Set(static_cast<double>(queries.queued()));
    mirror(requests_, server.requests_total);
    mirror(requests_refused_, server.requests_refused_total);
    mirror(connections_refused_, server.connections_refused_total);
}

}  // namespace kpid::app
