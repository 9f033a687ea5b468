// What the bodies of messages share.

#include "alerting/body_parts.h"

namespace kpid::alerting {

void write_text_map(JsonWriter& writer, const model::Labels& labels) {
    writer.begin_object();
    for (const model::Label& label : labels) {
        writer.key(label.name).string(label.value);
    }
    writer.end_object();
}

void write_text_map(JsonWriter& writer, const std::map<std::string, std::string>& map) {
    writer.begin_object();
    for (const auto& [name, value] : map) {
        writer.key(name).string(value);
    }
    writer.end_object();
}

model::Labels with_external_labels(const model::Labels& labels, const model::Labels& external) {
    if (external.empty()) {
        return labels;
    }
    model::LabelsBuilder builder(labels);
    for (const model::Label& label : external) {
        if (!labels.has(label.name)) {
            builder.set(label.name, label.value);
        }
    }
    return builder.build();
}

std::string format_go_time(Timestamp time) {
    std::string text = format_rfc3339(time);
    text.pop_back();  // the Z
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text + 'Z';
}

}  // namespace kpid::alerting
