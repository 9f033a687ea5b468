#pragma once
// A whole configuration as one immutable value: what a reload swaps.

#include "config/delivery.h"
#include "config/kpis.h"
#include "config/metrics.h"
#include "config/remote_write.h"
#include "config/rules.h"
#include "config/sources.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/promql/parser.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::config {

struct GlobalConfig {
    Duration scrape_interval = std::chrono::seconds(15);
    Duration scrape_timeout = std::chrono::seconds(10);
    Duration evaluation_interval = std::chrono::seconds(30);
    Duration rule_query_offset{0};
    model::Labels external_labels;  ///< Added to what is sent out, not to what is stored.
    /// Without a trailing slash. When not given, where the first address is found; empty when that
    /// is not known.
    std::string external_url;
    bool operator==(const GlobalConfig&) const = default;
};

enum class Durability { kProcess, kFsync };

struct StorageConfig {
    std::string path = "/var/lib/kpid";  ///< Resolved beside the main file.
    Durability durability = Durability::kProcess;
    Duration retention = std::chrono::hours(24 * 400);  ///< At least kRetentionMin.
    /// Of what kpid records itself. At least kRetentionMin.
    Duration retention_kpis = std::chrono::hours(24 * 3650);
    std::uint64_t retention_size = 0;                      ///< Bytes; 0 is no bound.
    Duration out_of_order_window = std::chrono::hours(1);  ///< At most `retention`.
    Duration future_tolerance = std::chrono::minutes(5);

    static constexpr Duration kRetentionMin = std::chrono::minutes(1);
    bool operator==(const StorageConfig&) const = default;
};

struct LimitsConfig {
    std::uint64_t series = 2'000'000;
    std::uint64_t label_name_bytes = 1024;
    std::uint64_t label_value_bytes = 4096;
    std::uint64_t labels_per_series = 64;
    std::uint64_t body_bytes = std::uint64_t{32} * 1024 * 1024;
    std::uint64_t samples_per_query = 50'000'000;
    Duration query_timeout = std::chrono::seconds(30);
    std::uint64_t concurrent_queries = 8;
    std::uint64_t instances_per_kpi = 500;
    bool operator==(const LimitsConfig&) const = default;
};

struct WebConfig {
    std::vector<std::string> listen{"127.0.0.1:9731"};  ///< host:port each; at least one.
    std::uint64_t metrics_instances = 100;
    bool operator==(const WebConfig&) const = default;
};

/// Everything the files say, checked: nothing later meets a bad definition. Immutable after
/// loading, read from any thread through a shared_ptr<const Config>.
struct Config {
    std::string file;  ///< The main file, as it was named.
    GlobalConfig global;
    StorageConfig storage;
    LimitsConfig limits;
    WebConfig web;
    ListenersConfig listeners;
    std::vector<ScrapeConfig>
        scrape_configs;  ///< In order of the file; job names are unique, also among sources.
    std::vector<SourceConfig> sources;  ///< In order of id.
    MetricTable metrics;
    std::vector<RuleGroup> rule_groups;  ///< In order of file, then as written.
    std::vector<KpiEntry> kpis;          ///< In order of id.
    std::map<std::string, OwnerConfig> owners;
    std::map<std::string, GoalConfig> goals;
    AlertingConfig alerting;
    std::vector<RemoteWriteConfig> remote_writes;  ///< In order of the file.
    /// What the features allow in PromQL: queries from outside are parsed with the same.
    promql::ParseOptions parse_options;
    bool delayed_name_removal = false;  ///< Feature promql-delayed-name-removal.
    /// The main file as it may be shown: see shown_yaml.h.
    std::string shown;
    /// Every file that was read, main file first.
    std::vector<std::string> files;

    /// Null when there is none with this id.
    [[nodiscard]] const KpiEntry* find_kpi(std::string_view id) const;
    [[nodiscard]] const ReceiverConfig* find_receiver(std::string_view name) const;
};

}  // namespace kpid::config
