#pragma once
// What kpid collects: scrape configs, the other kinds of source, and listeners.

#include "config/metrics.h"
#include "kpid/base/http_client_options.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/relabel.h"
#include "kpid/promql/ast.h"
#include "kpid/wire/json_select.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace kpid::config {

/// Targets that share labels: Prometheus' static_configs. Targets are `host:port` without a scheme.
struct StaticTargets {
    std::vector<std::string> targets;
    model::Labels labels;
    bool operator==(const StaticTargets&) const = default;
};

/// Prometheus' scrape_config. The same for `scrape_configs` and for a source of kind `prometheus`.
struct ScrapeConfig {
    std::string job_name;
    std::vector<StaticTargets> static_configs;
    Duration interval = std::chrono::seconds(15);  ///< At most 1 y, above 0.
    Duration timeout = std::chrono::seconds(10);   ///< At most the interval.
    std::string metrics_path = "/metrics";
    std::string scheme = "http";  ///< "http" or "https".
    /// Query parameters in order of name; a name may come several times.
    std::vector<std::pair<std::string, std::string>> params;
    bool honor_labels = false;
    bool honor_timestamps = true;
    bool track_timestamps_staleness = false;
    bool enable_compression = true;
    std::vector<model::RelabelConfig> relabel_configs;
    std::vector<model::RelabelConfig> metric_relabel_configs;
    /// 0 is no bound, as in Prometheus.
    std::uint64_t sample_limit = 0;
    std::uint64_t target_limit = 0;
    std::uint64_t label_limit = 0;
    std::uint64_t label_name_length_limit = 0;
    std::uint64_t label_value_length_limit = 0;
    std::uint64_t body_size_limit = 0;
    /// How a body without a known content type is read: "PrometheusText0.0.4",
    /// "OpenMetricsText1.0.0", …; empty: it is refused.
    std::string fallback_scrape_protocol;
    std::vector<std::string> scrape_protocols;  ///< Empty: Prometheus' own order.
    HttpClientOptions http;
    /// Not a key of Prometheus' own: what the source says; absent: the storage's.
    std::optional<Duration> out_of_order_window;
    bool operator==(const ScrapeConfig&) const = default;
};

/// This machine from /proc.
struct HostSource {
    bool operator==(const HostSource&) const = default;
};

/// A made-up metric that slips and recovers every two minutes.
struct DemoSource {
    bool operator==(const DemoSource&) const = default;
};

/// One GET of a JSON document.
struct HttpJsonSource {
    std::string url;
    wire::JsonSelectSpec select;
    HttpClientOptions http;
};

/// Queries of another Prometheus-compatible server. Results keep the query's labels; `metric` names
/// them.
struct PromqlSource {
    /// Points that a query without a period asks back for where `backfill` is not given: what
    /// Prometheus gives in one answer.
    static constexpr int kBackfillPointsDefault = 11'000;

    struct Query {
        std::string metric;
        std::string expr;  ///< As it was written; the other server may know more functions than we.
        /// Asked once for each closed period of UTC instead of in each round.
        std::optional<Period> per = {};
        bool operator==(const Query&) const = default;
    };
    std::string url;             ///< Without a trailing slash and `/api/v1/query`.
    std::vector<Query> queries;  ///< In order of metric.
    /// How far back the first start asks: for periods that were closed, and for the past of the
    /// other queries; 0 is not at all.
    Duration backfill_periods{0};
    Duration backfill_samples{0};
    HttpClientOptions http;
    bool operator==(const PromqlSource&) const = default;
};

/// An entry of `sources`. Its series carry job = id and `labels`.
struct SourceConfig {
    using Kind = std::variant<ScrapeConfig, HostSource, DemoSource, HttpJsonSource, PromqlSource>;

    std::string id;
    Duration interval = std::chrono::seconds(15);
    Duration timeout = std::chrono::seconds(10);  ///< At most the interval.
    model::Labels labels;
    /// How long its values hold; absent: see ValidForRules.
    std::optional<Duration> valid_for;
    /// How far a sample may lie behind its series' newest; absent: the storage's.
    std::optional<Duration> out_of_order_window;
    /// For a ScrapeConfig: complete, with job_name = id and the source's interval, timeout, http
    /// options, labels and out-of-order window.
    Kind kind;
    std::string file;
    int line = 0;
    /// "prometheus", "host", "demo", "http_json", "promql".
    [[nodiscard]] std::string_view kind_name() const;
};

enum class StatsdDialect { kEtsy, kDogStatsd };

struct StatsdListener {
    std::string udp;  ///< host:port
    StatsdDialect dialect = StatsdDialect::kEtsy;
    Duration flush_interval = std::chrono::seconds(10);
    std::vector<double> percentiles{50, 90, 99};  ///< 0 to 100, exclusive of 0, ascending, unique.
    bool operator==(const StatsdListener&) const = default;
};

struct ListenersConfig {
    std::optional<StatsdListener> statsd;
    bool operator==(const ListenersConfig&) const = default;
};

}  // namespace kpid::config
