// Scrape configs and sources.

#include "config/draft.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kpid::config {
namespace {

/// What a value in a unit of its own is multiplied by to be in base units.
struct UnitScale {
    std::string_view name;
    double scale;
};
constexpr std::array<UnitScale, 15> kUnitScales{{{"cents", 0.01},
                                                 {"percent", 0.01},
                                                 {"ratio", 1},
                                                 {"count", 1},
                                                 {"seconds", 1},
                                                 {"milliseconds", 0.001},
                                                 {"microseconds", 0.000001},
                                                 {"minutes", 60},
                                                 {"hours", 3600},
                                                 {"days", 86400},
                                                 {"bytes", 1},
                                                 {"bits", 0.125},
                                                 {"KiB", 1024},
                                                 {"MiB", 1024.0 * 1024},
                                                 {"GiB", 1024.0 * 1024 * 1024}}};

constexpr std::array<std::string_view, 5> kScrapeProtocols{
    "PrometheusProto", "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusText0.0.4",
    "PrometheusText1.0.0"};

/// Prometheus' rule: a timeout longer than the interval is an error when it was given, else it is
/// cut.
void fit_timeout(Fields& fields, std::string_view timeout_key, bool timeout_given,
                 Duration interval, Duration& timeout) {
    if (timeout <= interval) {
        return;
    }
    if (timeout_given) {
        fields.context().error(fields.key_position(timeout_key), "out-of-range",
                               fmt::format("the timeout of {} is greater than its interval, {}",
                                           fields.what(), format_duration(interval)));
    }
    timeout = interval;
}

void decode_params(Fields& fields, ScrapeConfig& out) {
    const YamlNode* node = fields.take("params");
    if (node == nullptr) {
        return;
    }
    if (node->kind != YamlKind::kMap) {
        fields.context().error(*node, "wrong-type", "\"params\" must be a map of lists");
        return;
    }
    for (const YamlEntry& entry : node->entries) {
        const auto values = read_texts(fields.context(), *entry.value, entry.key);
        for (const std::string& value : values.value_or(std::vector<std::string>())) {
            out.params.emplace_back(entry.key, value);
        }
    }
    std::stable_sort(out.params.begin(), out.params.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
}

void decode_protocols(Fields& fields, ScrapeConfig& out) {
    fields.choice("fallback_scrape_protocol", kScrapeProtocols, out.fallback_scrape_protocol);
    if (!fields.texts("scrape_protocols", out.scrape_protocols)) {
        return;
    }
    for (const std::string& protocol : out.scrape_protocols) {
        if (std::find(kScrapeProtocols.begin(), kScrapeProtocols.end(), protocol) ==
            kScrapeProtocols.end()) {
            fields.context().error(fields.key_position("scrape_protocols"), "wrong-value",
                                   fmt::format("unknown scrape protocol {}", protocol));
        }
    }
}

double decode_unit_scale(Fields& fields) {
    std::string unit;
    if (!fields.word("unit", unit)) {
        return 1;
    }
    const auto found = std::find_if(kUnitScales.begin(), kUnitScales.end(),
                                    [&](const UnitScale& known) { return known.name == unit; });
    if (found != kUnitScales.end()) {
        return found->scale;
    }
    std::vector<std::string> names;
    names.reserve(kUnitScales.size());
    for (const UnitScale& known : kUnitScales) {
        names.emplace_back(known.name);
    }
    const std::string close = nearest(unit, names);
    fields.context().error(
        fields.key_position("unit"), "unit", fmt::format("unknown unit \"{}\"", unit),
        close.empty() ? std::string() : fmt::format("did you mean \"{}\"?", close));
    return 1;
}

wire::JsonMetricSpec decode_json_metric(Context& context, const YamlEntry& entry) {
    wire::JsonMetricSpec metric;
    metric.metric = entry.key;
    check_metric_name(context, entry.position, entry.key);
    Fields fields(context, *entry.value, fmt::format("metric \"{}\"", entry.key));
    fields.require("value");
    fields.text("value", metric.value);
    metric.scale = decode_unit_scale(fields);
    std::string time;
    if (fields.text("time", time)) {
        metric.time = std::move(time);
    }
    if (const YamlNode* labels = fields.take("labels")) {
        for (auto& [name, pointer] : read_text_map(context, *labels, "labels", false)) {
            metric.labels.emplace_back(name, std::move(pointer));
        }
    }
    fields.later({"kind", "per", "zero_when_absent"});
    fields.finish();
    return metric;
}

HttpJsonSource decode_http_json(Context& context, const YamlNode& node) {
    Fields fields(context, node, "http_json");
    HttpJsonSource source;
    fields.require("url");
    fields.url("url", source.url);
    std::string items;
    if (fields.text("items", items)) {
        source.select.items = std::move(items);
    }
    const std::size_t errors_before = context.error_count();
    if (const YamlNode* metrics = fields.require("metrics")) {
        if (metrics->kind != YamlKind::kMap || metrics->entries.empty()) {
            context.error(*metrics, "wrong-type",
                          "\"metrics\" must be a map from metric to where its value stands");
        }
        for (const YamlEntry& entry : metrics->entries) {
            source.select.metrics.push_back(decode_json_metric(context, entry));
        }
    }
    fields.later({"method", "body", "headers", "next", "pages_max"});
    fields.finish();
    if (context.error_count() == errors_before) {
        if (const auto selector = wire::JsonSelector::make(source.select); !selector) {
            context.error(node, "json-pointer", selector.error().message);
        }
    }
    return source;
}

PromqlSource::Query decode_query(Context& context, const YamlEntry& entry) {
    check_metric_name(context, entry.position, entry.key);
    Fields fields(context, *entry.value, fmt::format("query \"{}\"", entry.key));
    PromqlSource::Query query;
    query.metric = entry.key;
    fields.require("expr");
    fields.word("expr", query.expr);
    query.per = decode_period(fields);
    fields.later({"labels"});
    fields.finish();
    return query;
}

/// How far the first start asks back: as far as samples are kept, but of queries without a period
/// no more than one answer has room for, unless it is given.
void decode_backfill(Fields& fields, Duration interval, Duration retention, PromqlSource& source) {
    std::optional<Duration> given;
    if (fields.span("backfill", given) && *given > retention) {
        fields.context().error(fields.key_position("backfill"), "out-of-range",
                               fmt::format("\"backfill\" must not be longer than the retention, {}",
                                           format_duration(retention)));
    }
    const Duration one_answer = interval * PromqlSource::kBackfillPointsDefault;
    source.backfill_periods = given.value_or(retention);
    source.backfill_samples = given.value_or(std::min(retention, one_answer));
}

PromqlSource decode_promql(Context& context, const YamlNode& node, Duration interval,
                           Duration retention) {
    Fields fields(context, node, "promql");
    PromqlSource source;
    fields.require("url");
    if (fields.url("url", source.url)) {
        while (source.url.ends_with('/')) {
            source.url.pop_back();
        }
    }
    const YamlNode* queries = fields.require("queries");
    if (queries != nullptr && (queries->kind != YamlKind::kMap || queries->entries.empty())) {
        context.error(*queries, "wrong-type", "\"queries\" must be a map from metric to query");
    }
    for (const YamlEntry& entry :
         queries != nullptr ? queries->entries : std::vector<YamlEntry>()) {
        source.queries.push_back(decode_query(context, entry));
    }
    std::sort(source.queries.begin(), source.queries.end(),
              [](const auto& a, const auto& b) { return a.metric < b.metric; });
    decode_backfill(fields, interval, retention, source);
    fields.finish();
    return source;
}

/// `{prometheus: {targets: […], every scrape_config key}}`.
ScrapeConfig decode_prometheus_source(Context& context, const YamlNode& node,
                                      const SourceConfig& source, const HttpClientOptions& http) {
    ScrapeConfig scrape;
    scrape.job_name = source.id;
    scrape.interval = source.interval;
    scrape.timeout = source.timeout;
    scrape.http = http;
    scrape.out_of_order_window = source.out_of_order_window;
    Fields fields(context, node, "prometheus");
    if (fields.take("job_name") != nullptr) {
        context.error(fields.key_position("job_name"), "unknown-key",
                      "\"job_name\" cannot be set: the job is the source's id");
    }
    StaticTargets plain;
    if (const YamlNode* targets = fields.take("targets")) {
        plain.targets = decode_targets(fields, *targets);
    }
    decode_scrape_fields(fields, scrape);
    fields.finish();
    if (!plain.targets.empty()) {
        scrape.static_configs.insert(scrape.static_configs.begin(), std::move(plain));
    }
    if (scrape.static_configs.empty() && fields.node().kind == YamlKind::kMap &&
        fields.take("targets") == nullptr) {
        context.error(node, "missing-key", "prometheus needs \"targets\"");
    }
    for (StaticTargets& group : scrape.static_configs) {
        model::LabelsBuilder labels(source.labels);
        for (const model::Label& label : group.labels) {
            labels.set(label.name, label.value);
        }
        group.labels = labels.build();
    }
    return scrape;
}

void decode_empty_map(Context& context, const YamlNode& node, std::string what) {
    Fields fields(context, node, std::move(what), Nulls::kAbsent);
    fields.finish();
}

/// How long its values hold, and how late they may come.
void decode_times(const Draft& draft, Fields& fields, SourceConfig& source) {
    Duration valid_for{0};
    if (fields.positive_span("valid_for", valid_for)) {
        source.valid_for = valid_for;
    }
    if (fields.span("out_of_order_window", source.out_of_order_window)) {
        check_out_of_order_window(fields, *source.out_of_order_window,
                                  draft.config.storage.retention);
    }
}

/// The kinds of source; `later` ones are known but not built.
constexpr std::array<std::string_view, 5> kKinds{"prometheus", "host", "demo", "http_json",
                                                 "promql"};
constexpr std::array<std::string_view, 7> kLaterKinds{"sql",   "file", "http_csv", "exec",
                                                      "kafka", "mqtt", "manual"};

void decode_kind(Context& context, const YamlEntry& entry, const HttpClientOptions& http,
                 Duration retention, SourceConfig& source) {
    const std::string_view kind = entry.key;
    const YamlNode& node = *entry.value;
    if (kind == "prometheus") {
        ScrapeConfig scrape = decode_prometheus_source(context, node, source, http);
        source.interval = scrape.interval;
        source.timeout = scrape.timeout;
        source.kind = std::move(scrape);
    } else if (kind == "host") {
        decode_empty_map(context, node, "host");
        source.kind = HostSource();
    } else if (kind == "demo") {
        decode_empty_map(context, node, "demo");
        source.kind = DemoSource();
    } else if (kind == "http_json") {
        HttpJsonSource json = decode_http_json(context, node);
        json.http = http;
        source.kind = std::move(json);
    } else if (kind == "promql") {
        PromqlSource promql = decode_promql(context, node, source.interval, retention);
        promql.http = http;
        source.kind = std::move(promql);
    }
}

/// The one key that says what kind of source it is; null for none, several or a later one.
const YamlEntry* find_kind(Fields& fields) {
    Context& context = fields.context();
    const YamlEntry* found = nullptr;
    bool has_later = false;
    for (const YamlEntry& entry : fields.node().entries) {
        has_later = has_later || std::find(kLaterKinds.begin(), kLaterKinds.end(), entry.key) !=
                                     kLaterKinds.end();
        if (std::find(kKinds.begin(), kKinds.end(), entry.key) == kKinds.end()) {
            continue;
        }
        if (found != nullptr) {
            context.error(entry.position, "source-kind",
                          fmt::format("{} has two kinds: \"{}\" and \"{}\"", fields.what(),
                                      found->key, entry.key));
            continue;
        }
        found = &entry;
    }
    for (const std::string_view kind : kKinds) {
        fields.allow(kind);
    }
    for (const std::string_view kind : kLaterKinds) {
        fields.later({kind});
    }
    if (found == nullptr && !has_later && fields.node().kind == YamlKind::kMap) {
        context.error(
            fields.node(), "source-kind",
            fmt::format("{} needs a kind: one of {}", fields.what(), fmt::join(kKinds, ", ")));
    }
    return found;
}

}  // namespace

void decode_scrape_fields(Fields& fields, ScrapeConfig& out) {
    out.static_configs = decode_static_configs(fields);
    fields.positive_span("scrape_interval", out.interval);
    const bool timeout_given = fields.positive_span("scrape_timeout", out.timeout);
    fit_timeout(fields, "scrape_timeout", timeout_given, out.interval, out.timeout);
    fields.word("metrics_path", out.metrics_path);
    fields.choice("scheme", {"http", "https"}, out.scheme);
    decode_params(fields, out);
    fields.boolean("honor_labels", out.honor_labels);
    fields.boolean("honor_timestamps", out.honor_timestamps);
    fields.boolean("track_timestamps_staleness", out.track_timestamps_staleness);
    fields.boolean("enable_compression", out.enable_compression);
    out.relabel_configs = decode_relabel_configs(fields, "relabel_configs");
    out.metric_relabel_configs = decode_relabel_configs(fields, "metric_relabel_configs");
    fields.count("sample_limit", out.sample_limit);
    fields.count("target_limit", out.target_limit);
    fields.count("label_limit", out.label_limit);
    fields.count("label_name_length_limit", out.label_name_length_limit);
    fields.count("label_value_length_limit", out.label_value_length_limit);
    fields.bytes("body_size_limit", out.body_size_limit);
    decode_protocols(fields, out);
    decode_http_options(fields, out.http);
    fields.later({"scrape_classic_histograms", "always_scrape_classic_histograms",
                  "convert_classic_histograms_to_nhcb", "scrape_native_histograms",
                  "native_histogram_bucket_limit", "native_histogram_min_bucket_factor",
                  "keep_dropped_targets", "metric_name_validation_scheme",
                  "metric_name_escaping_scheme", "scrape_failure_log_file",
                  "extra_scrape_metrics"});
    fields.later_ending("_sd_configs");
}

void decode_scrape_configs(Draft& draft, Context& context, const YamlNode& node) {
    for_each_item(context, node, "scrape_configs", [&](const YamlNode& item) {
        if (item.kind == YamlKind::kNull) {
            context.error(item, "no-value", "empty or null scrape config section");
            return;
        }
        Fields fields(context, item, "scrape config", Nulls::kAbsent);
        ScrapeConfig scrape;
        scrape.interval = draft.config.global.scrape_interval;
        scrape.timeout = draft.config.global.scrape_timeout;
        const YamlNode* name = fields.require("job_name");
        if (fields.word("job_name", scrape.job_name)) {
            draft.define(draft.jobs, "job", scrape.job_name, context, name->position);
        }
        decode_scrape_fields(fields, scrape);
        fields.finish();
        draft.config.scrape_configs.push_back(std::move(scrape));
    });
}

void decode_sources(Draft& draft, Context& context, const YamlNode& node) {
    for_each_id(context, node, "sources", [&](const YamlEntry& entry) {
        draft.define(draft.jobs, "job", entry.key, context, entry.position);
        Fields fields(context, *entry.value, fmt::format("source \"{}\"", entry.key));
        SourceConfig source;
        source.id = entry.key;
        source.file = context.file();
        source.line = entry.position.line;
        source.interval = draft.config.global.scrape_interval;
        source.timeout = draft.config.global.scrape_timeout;
        const YamlEntry* kind = find_kind(fields);
        const bool interval_given = fields.positive_span("interval", source.interval);
        const bool timeout_given = fields.positive_span("timeout", source.timeout);
        fit_timeout(fields, "timeout", timeout_given, source.interval, source.timeout);
        source.labels = decode_labels(fields, "labels");
        HttpClientOptions http;
        decode_http_config(fields, http);
        decode_times(draft, fields, source);
        if (kind != nullptr) {
            if (kind->key == "promql" && !interval_given) {
                context.error(entry.position, "missing-key",
                              fmt::format("{} must name its interval", fields.what()));
            }
            decode_kind(context, *kind, http, draft.config.storage.retention, source);
            draft.config.sources.push_back(std::move(source));
        }
        fields.finish();
    });
    std::sort(draft.config.sources.begin(), draft.config.sources.end(),
              [](const SourceConfig& a, const SourceConfig& b) { return a.id < b.id; });
}

}  // namespace kpid::config
