// The section `metrics`.

#include "config/draft.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace kpid::config {
namespace {

using model::MetricKind;

struct KindName {
    std::string_view name;
    MetricKind kind;
};
constexpr std::array<KindName, 4> kKinds{{{"gauge", MetricKind::kGauge},
                                          {"counter", MetricKind::kCounter},
                                          {"total", MetricKind::kTotal},
                                          {"event", MetricKind::kEvent}}};

void decode_kind(Fields& fields, MetricConfig& out) {
    std::string name;
    if (!fields.choice("kind", {"gauge", "counter", "total", "event"}, name)) {
        return;
    }
    for (const KindName& known : kKinds) {
        if (known.name == name) {
            out.kind = known.kind;
        }
    }
}

void check_keys(Fields& fields, const MetricConfig& metric) {
    Context& context = fields.context();
    const bool is_total = metric.kind == MetricKind::kTotal;
    if (metric.per && !is_total) {
        context.error(fields.key_position("per"), "metric-kind",
                      fmt::format("{}: only a total has \"per\"", fields.what()),
                      "add kind: total");
    }
    if (metric.zero_when_absent && !is_total && metric.kind != MetricKind::kEvent) {
        context.error(
            fields.key_position("zero_when_absent"), "metric-kind",
            fmt::format("{}: only a total or an event has \"zero_when_absent\"", fields.what()),
            "a level that is absent is not 0");
    }
}

}  // namespace

std::optional<Period> decode_period(Fields& fields) {
    std::string name;
    if (!fields.choice("per", {"hour", "day", "week", "month", "quarter", "half", "year"}, name)) {
        return std::nullopt;
    }
    return parse_period(name);
}

void decode_metrics(Draft& draft, Context& context, const YamlNode& node) {
    if (node.kind != YamlKind::kMap) {
        context.error(node, "wrong-type",
                      fmt::format("\"metrics\" must be a map from metric to what it means, not {}",
                                  describe(node)));
        return;
    }
    for (const YamlEntry& entry : node.entries) {
        check_metric_name(context, entry.position, entry.key);
        draft.metrics.emplace(entry.key, Place{context.file(), entry.position});
        Fields fields(context, *entry.value, fmt::format("metric \"{}\"", entry.key));
        const std::size_t errors_before = context.error_count();
        MetricConfig metric;
        decode_kind(fields, metric);
        metric.per = decode_period(fields);
        if (const YamlNode* unit = fields.take("unit")) {
            metric.unit = read_unit(context, *unit);
        }
        fields.boolean("zero_when_absent", metric.zero_when_absent);
        fields.finish();
        if (context.error_count() == errors_before) {
            check_keys(fields, metric);
        }
        draft.config.metrics.emplace(entry.key, std::move(metric));
    }
}

}  // namespace kpid::config
