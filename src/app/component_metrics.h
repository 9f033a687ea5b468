#pragma once
// Metrics of parts that only count for themselves: storage, HTTP server, worker pools.

#include "app/storage_metrics.h"
#include "kpid/base/mutex.h"
#include "kpid/storage/storage.h"
#include "net/http_server.h"
#include "net/worker_pool.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <string>

namespace kpid::app {

/// Copies the parts' counters into the registry's metrics. Thread-safe; update() is called before
/// each reading of the registry.
class ComponentMetrics {
public:
    ComponentMetrics(prometheus::Registry& registry, const storage::Storage& storage);

    void update(const net::HttpServerStats& server, const net::WorkerPool& workers,
                const net::WorkerPool& queries);

private:
    void mirror(prometheus::Counter& counter, std::uint64_t value) KPID_REQUIRES(mutex_);

    const storage::Storage& storage_;
    prometheus::Family<prometheus::Counter>& counters(const char* name, const char* help);
    prometheus::Gauge& gauge(const char* name, const char* help,
                             const std::map<std::string, std::string>& labels = {});

    prometheus::Registry& registry_;
    Mutex mutex_;
    StorageMetrics storage_metrics_ KPID_GUARDED_BY(mutex_);
    std::map<const prometheus::Counter*, std::uint64_t> mirrored_ KPID_GUARDED_BY(mutex_);

    prometheus::Gauge& connections_;
    prometheus::Gauge& workers_queued_;
    prometheus::Gauge& queries_queued_;
    prometheus::Counter& requests_;
    prometheus::Counter& requests_refused_;
    prometheus::Counter& connections_refused_;
};

}  // namespace kpid::app
