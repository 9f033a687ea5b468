#pragma once
// What the storage says about itself, as metrics.

#include "kpid/storage/stats.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace kpid::app {

/// kpid_storage_… in a registry. Not thread-safe: one update() at a time.
class StorageMetrics {
public:
    /// `registry` is borrowed.
    explicit StorageMetrics(prometheus::Registry& registry);

    void update(const storage::StorageStats& stats, bool is_healthy);

private:
    using Read = std::function<double(const storage::StorageStats&)>;
    struct Gauge {
        prometheus::Gauge* gauge = nullptr;
        Read read;
    };
    struct Counter {
        prometheus::Counter* counter = nullptr;
        Read read;
        double seen = 0;
    };

    void add_gauges();
    void add_counters();
    void add_log();
    void add_gauge(const char* name, const char* help, Read read);
    void add_counter(const char* name, const char* help, Read read);

    prometheus::Registry& registry_;
    prometheus::Gauge& healthy_;
    std::vector<Gauge> gauges_;
    std::vector<Counter> counters_;
};

}  // namespace kpid::app
