// The body of POST /api/v2/alerts.

#include "kpid/alerting/alertmanager_body.h"

#include "alerting/body_parts.h"
#include "kpid/base/json_writer.h"
#include "kpid/model/classic_names.h"

#include <map>
#include <string>

namespace kpid::alerting {
namespace {

std::map<std::string, std::string> with_classic_names(
    const std::map<std::string, std::string>& annotations) {
    std::map<std::string, std::string> renamed;
    for (const auto& [name, text] : annotations) {
        std::string classic = model::to_classic_label_name(name);
        while (classic != name && (annotations.contains(classic) || renamed.contains(classic))) {
            classic += '_';
        }
        renamed.emplace(std::move(classic), text);
    }
    return renamed;
}

}  // namespace

std::string alertmanager_body(std::span<const Alert> alerts, const AlertmanagerContext& context) {
    JsonWriter writer;
    writer.begin_array();
    for (const Alert& alert : alerts) {
        const model::Labels labels =
            model::with_classic_names(with_external_labels(alert.labels, context.external_labels)
                                          .without(model::kMetricName));
        writer.begin_object().key("annotations");
        write_text_map(writer, with_classic_names(alert.annotations));
        writer.key("endsAt").string(
            format_rfc3339(alert.firing() ? context.firing_until : alert.ends_at));
        writer.key("startsAt").string(format_rfc3339(alert.starts_at));
        writer.key("generatorURL").string(alert.generator_url).key("labels");
        write_text_map(writer, labels);
        writer.end_object();
    }
    writer.end_array();
    return std::move(writer).take();
}

}  // namespace kpid::alerting
