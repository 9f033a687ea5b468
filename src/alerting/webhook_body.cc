// Alertmanager's webhook JSON, version 4, with a KPI's context.

#include "kpid/alerting/webhook_body.h"

#include "alerting/body_parts.h"
#include "kpid/base/json_writer.h"

#include <algorithm>

namespace kpid::alerting {
namespace {

void write_kpi(JsonWriter& writer, const Alert& alert) {
    const KpiContext& kpi = *alert.kpi;
    writer.begin_object();
    writer.key("id").string(kpi.id);
    writer.key("title").string_or_null(kpi.title);
    writer.key("owner").string_or_null(kpi.owner);
    writer.key("value");
    if (kpi.value) {
        writer.number(*kpi.value);
    } else {
        writer.null();
    }
    writer.key("target").raw(kpi.target_json.empty() ? "null" : kpi.target_json);
    writer.key("unit").string_or_null(kpi.unit);
    writer.key("status").string_or_null(kpi.status);
    writer.key("since").string(format_rfc3339(kpi.since));
    writer.key("goal").string_or_null(kpi.goal);
    writer.key("runbook").string_or_null(kpi.runbook);
    writer.key("ended").string_or_null(to_string(alert.ended));
    writer.key("superseded_by").string_or_null(kpi.superseded_by);
    writer.end_object();
}

void write_webhook_alert(JsonWriter& writer, const Alert& alert, const model::Labels& labels) {
    writer.begin_object();
    writer.key("status").string(alert.firing() ? "firing" : "resolved");
    writer.key("labels");
    write_text_map(writer, labels);
    writer.key("annotations");
    write_text_map(writer, alert.annotations);
    writer.key("startsAt").string(format_go_time(alert.starts_at));
    writer.key("endsAt").string(alert.firing() ? "0001-01-01T00:00:00Z"
                                               : format_go_time(alert.ends_at));
    writer.key("generatorURL").string(alert.generator_url);
    writer.key("fingerprint").string(alert.fingerprint());
    if (alert.kpi) {
        writer.key("kpi");
        write_kpi(writer, alert);
    }
    writer.end_object();
}

using TextMap = std::map<std::string, std::string>;

// Leaves in `common` what `other` has too.
void keep_common(TextMap& common, const TextMap& other) {
    std::erase_if(common, [&](const auto& item) {
        const auto found = other.find(item.first);
        return found == other.end() || found->second != item.second;
    });
}

TextMap to_map(const model::Labels& labels) {
    TextMap map;
    for (const model::Label& label : labels) {
        map.emplace(label.name, label.value);
    }
    return map;
}

}  // namespace

std::string webhook_body(const GroupNotification& notification, const WebhookContext& context) {
    const std::size_t total = notification.alerts.size();
    const std::size_t shown = context.max_alerts == 0 ? total : std::min(total, context.max_alerts);
    const std::span<const Alert> alerts(notification.alerts.data(), shown);
    const bool firing =
        std::any_of(alerts.begin(), alerts.end(), [](const Alert& a) { return a.firing(); });

    JsonWriter writer;
    writer.begin_object();
    writer.key("receiver")
        .string(context.receiver.empty() ? notification.receiver : context.receiver);
    writer.key("status").string(firing ? "firing" : "resolved");
    writer.key("alerts").begin_array();
    TextMap common_labels;
    TextMap common_annotations;
    for (std::size_t i = 0; i < alerts.size(); ++i) {
        const model::Labels labels =
            with_external_labels(alerts[i].labels, context.external_labels);
        write_webhook_alert(writer, alerts[i], labels);
        if (i == 0) {
            common_labels = to_map(labels);
            common_annotations = alerts[i].annotations;
        } else {
            keep_common(common_labels, to_map(labels));
            keep_common(common_annotations, alerts[i].annotations);
        }
    }
    writer.end_array().key("groupLabels");
    write_text_map(writer, notification.group_labels);
    writer.key("commonLabels");
    write_text_map(writer, common_labels);
    writer.key("commonAnnotations");
    write_text_map(writer, common_annotations);
    writer.key("externalURL").string(context.external_url);
    writer.key("version").string("4");
    writer.key("groupKey").string(notification.group_key);
    writer.key("truncatedAlerts").number(total - shown + notification.alerts_refused);
    writer.end_object();
    return std::move(writer).take();
}

}  // namespace kpid::alerting
