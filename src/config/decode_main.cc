// Sections of the main file that describe the daemon itself.

#include "config/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::config {
namespace {

bool has(const YamlNode& node, std::string_view key) {
    return node.find(key) != nullptr;
}

void decode_external_url(Fields& fields, std::string& out) {
    fields.url("external_url", out);
    while (out.ends_with('/')) {
        out.pop_back();
    }
}

void check_address(Context& context, Position position, std::string_view name,
                   std::string_view address) {
    if (const auto fits = check_listen_address(address); !fits) {
        context.error(position, "address", fmt::format("\"{}\": {}", name, fits.error().message));
    }
}

void decode_percentiles(Fields& fields, std::vector<double>& out) {
    const YamlNode* node = fields.take("percentiles");
    if (node == nullptr) {
        return;
    }
    constexpr std::size_t kPercentilesMax = 100;
    constexpr double kWhole = 100;
    Context& context = fields.context();
    out.clear();
    for_each_item(context, *node, "percentiles", [&](const YamlNode& item) {
        const auto percentile = read_quantity(context, item, "percentiles");
        if (percentile && (*percentile <= 0 || *percentile > kWhole)) {
            context.error(item, "out-of-range",
                          "a percentile must be above 0 and at most 100, such as 95");
        } else if (percentile) {
            out.push_back(*percentile);
        }
    });
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (out.size() > kPercentilesMax) {
        context.error(*node, "out-of-range",
                      fmt::format("more than {} percentiles", kPercentilesMax));
    }
}

StatsdListener decode_statsd(Context& context, const YamlNode& node) {
    Fields fields(context, node, "statsd");
    StatsdListener statsd;
    const bool later_socket = has(node, "tcp") || has(node, "unix");
    if (!later_socket) {
        fields.require("udp");
    }
    if (fields.word("udp", statsd.udp)) {
        check_address(context, fields.key_position("udp"), "udp", statsd.udp);
    }
    std::string dialect = "etsy";
    fields.choice("dialect", {"etsy", "dogstatsd"}, dialect);
    statsd.dialect = dialect == "etsy" ? StatsdDialect::kEtsy : StatsdDialect::kDogStatsd;
    fields.positive_span("flush_interval", statsd.flush_interval);
    decode_percentiles(fields, statsd.percentiles);
    fields.later({"tcp", "unix", "mapping_config"});
    fields.finish();
    return statsd;
}

/// The one engine that is built is the embedded one.
void decode_engine(Fields& fields) {
    const YamlNode* node = fields.take("engine");
    if (node == nullptr) {
        return;
    }
    if (node->kind == YamlKind::kMap) {
        fields.context().not_supported_yet(fields.key_position("engine"), "engine");
        return;
    }
    std::string engine;
    fields.choice("engine", {"embedded"}, engine);
}

void decode_retention(Fields& fields, std::string_view key, Duration& out) {
    Duration read{0};
    if (!fields.span(key, read)) {
        return;
    }
    if (read < StorageConfig::kRetentionMin) {
        fields.context().error(fields.key_position(key), "out-of-range",
                               fmt::format("\"{}\" must be at least {}", key,
                                           format_duration(StorageConfig::kRetentionMin)));
        return;
    }
    out = read;
}

void decode_retentions(Fields& fields, StorageConfig& storage) {
    decode_retention(fields, "retention", storage.retention);
    decode_retention(fields, "retention_kpis", storage.retention_kpis);
    fields.bytes("retention_size", storage.retention_size);
    if (fields.span("out_of_order_window", storage.out_of_order_window)) {
        check_out_of_order_window(fields, storage.out_of_order_window, storage.retention);
    }
    storage.out_of_order_window = std::min(storage.out_of_order_window, storage.retention);
}

void positive_count(Fields& fields, std::string_view key, std::uint64_t& out) {
    std::uint64_t read = 0;
    if (!fields.count(key, read)) {
        return;
    }
    if (read == 0) {
        fields.context().error(fields.key_position(key), "out-of-range",
                               fmt::format("\"{}\" must be above 0", key));
        return;
    }
    out = read;
}

}  // namespace

void decode_global(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "global", Nulls::kAbsent);
    GlobalConfig& global = draft.config.global;
    fields.positive_span("scrape_interval", global.scrape_interval);
    const bool timeout_given = fields.positive_span("scrape_timeout", global.scrape_timeout);
    if (global.scrape_timeout > global.scrape_interval) {
        if (timeout_given) {
            context.error(fields.key_position("scrape_timeout"), "out-of-range",
                          "global scrape timeout greater than scrape interval");
        }
        global.scrape_timeout = global.scrape_interval;
    }
    fields.positive_span("evaluation_interval", global.evaluation_interval);
    fields.span("rule_query_offset", global.rule_query_offset);
    global.external_labels = decode_labels(fields, "external_labels");
    decode_external_url(fields, global.external_url);
    fields.later({"calendar", "query_log_file", "scrape_failure_log_file", "body_size_limit",
                  "sample_limit", "target_limit", "label_limit", "label_name_length_limit",
                  "label_value_length_limit", "keep_dropped_targets", "scrape_protocols",
                  "metric_name_validation_scheme", "metric_name_escaping_scheme", "runtime"});
    fields.finish();
}

void decode_storage(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "storage");
    StorageConfig& storage = draft.config.storage;
    fields.path("path", storage.path);
    std::string durability = "process";
    fields.choice("durability", {"process", "fsync"}, durability);
    storage.durability = durability == "fsync" ? Durability::kFsync : Durability::kProcess;
    decode_retentions(fields, storage);
    fields.span("future_tolerance", storage.future_tolerance);
    decode_engine(fields);
    fields.later({"tsdb", "exemplars"});
    fields.finish();
}

void decode_limits(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "limits");
    LimitsConfig& limits = draft.config.limits;
    positive_count(fields, "series", limits.series);
    positive_count(fields, "label_name_bytes", limits.label_name_bytes);
    positive_count(fields, "label_value_bytes", limits.label_value_bytes);
    positive_count(fields, "labels_per_series", limits.labels_per_series);
    positive_count(fields, "body_bytes", limits.body_bytes);
    positive_count(fields, "samples_per_query", limits.samples_per_query);
    fields.positive_span("query_timeout", limits.query_timeout);
    positive_count(fields, "concurrent_queries", limits.concurrent_queries);
    positive_count(fields, "instances_per_kpi", limits.instances_per_kpi);
    fields.finish();
}

void decode_web(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "web");
    WebConfig& web = draft.config.web;
    if (fields.texts("listen", web.listen)) {
        const YamlNode* listen = node.find("listen");
        if (web.listen.empty()) {
            context.error(*listen, "no-value", "\"listen\" is empty");
        }
        for (const YamlNodePtr& item : listen->items) {
            if (auto address = read_text(context, *item, "listen")) {
                check_address(context, item->position, "listen", *address);
            }
        }
    }
    fields.count("metrics_instances", web.metrics_instances);
    fields.later({"config_file"});
    fields.finish();
}

void decode_listeners(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "listeners");
    if (const YamlNode* statsd = fields.take("statsd")) {
        draft.config.listeners.statsd = decode_statsd(context, *statsd);
    }
    fields.later({"graphite"});
    fields.finish();
}

}  // namespace kpid::config
