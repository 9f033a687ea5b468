#pragma once
// What the passing on of samples says of itself.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <string>

namespace kpid::notify {

/// The metrics of one remote, at 0 from the start. Thread-safe.
struct RemoteSeries {
    prometheus::Counter& samples;
    prometheus::Counter& retried;
    prometheus::Counter& relabelled;
    prometheus::Counter& too_old;
    prometheus::Counter& lost_records;
    prometheus::Counter& sent_bytes;
    prometheus::Counter& metadata;
    prometheus::Counter& metadata_failed;
    prometheus::Gauge& pending;
    prometheus::Gauge& shards;
    prometheus::Gauge& highest_sent;
    prometheus::Gauge& highest_in;
};

/// The registry outlives this. Thread-safe.
class RemoteMetrics {
public:
    explicit RemoteMetrics(prometheus::Registry& registry);

    [[nodiscard]] RemoteSeries series(const std::string& remote_name, const std::string& url);
    /// Samples that were given up; `reason` is the status of the answer.
    void add_failed(const std::string& remote_name, const std::string& url, unsigned status,
                    double samples);

private:
    prometheus::Family<prometheus::Counter>& samples_;
    prometheus::Family<prometheus::Counter>& failed_;
    prometheus::Family<prometheus::Counter>& retried_;
    prometheus::Family<prometheus::Counter>& dropped_;
    prometheus::Family<prometheus::Counter>& lost_records_;
    prometheus::Family<prometheus::Counter>& sent_bytes_;
    prometheus::Family<prometheus::Counter>& metadata_;
    prometheus::Family<prometheus::Counter>& metadata_failed_;
    prometheus::Family<prometheus::Gauge>& pending_;
    prometheus::Family<prometheus::Gauge>& shards_;
    prometheus::Family<prometheus::Gauge>& highest_sent_;
    prometheus::Family<prometheus::Gauge>& highest_in_;
};

}  // namespace kpid::notify
