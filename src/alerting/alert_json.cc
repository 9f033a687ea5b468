// Alerts as JSON objects of the durable state.

#include "alerting/alert_json.h"

#include "kpid/base/number.h"

#include <fmt/format.h>

namespace kpid::alerting {
namespace {

Error bad_member(std::string_view name) {
    return invalid_argument(
        fmt::format("state: member \"{}\" is missing or of another type", name));
}

Result<EndReason> parse_end_reason(std::string_view text) {
    for (const EndReason reason : {EndReason::kNone, EndReason::kResolved, EndReason::kSuperseded,
                                   EndReason::kRemoved, EndReason::kExpired}) {
        if (text == to_string(reason)) {
            return reason;
        }
    }
    return invalid_argument(fmt::format("state: unknown end \"{}\"", text));
}

// The texts of a KPI's context that are kept as they are.
constexpr std::pair<std::string_view, std::string KpiContext::*> kKpiTexts[] = {
    {"id", &KpiContext::id},
    {"title", &KpiContext::title},
    {"owner", &KpiContext::owner},
    {"target", &KpiContext::target_json},
    {"unit", &KpiContext::unit},
    {"status", &KpiContext::status},
    {"goal", &KpiContext::goal},
    {"runbook", &KpiContext::runbook},
    {"superseded_by", &KpiContext::superseded_by},
};

void write_kpi(JsonWriter& writer, const KpiContext& kpi) {
    writer.begin_object();
    for (const auto& [name, member] : kKpiTexts) {
        writer.key(name).string(kpi.*member);
    }
    // As text, so that NaN and the infinities survive.
    writer.key("value").string(kpi.value ? format_float(*kpi.value) : "");
    writer.key("since").number(kpi.since.ms()).end_object();
}

Result<KpiContext> read_kpi(const simdjson::dom::element& object) {
    KpiContext kpi;
    for (const auto& [name, member] : kKpiTexts) {
        KPID_TRY(kpi.*member, read_text(object, name));
    }
    KPID_TRY(const std::string value, read_text(object, "value"));
    if (!value.empty()) {
        KPID_TRY(kpi.value, parse_float(value));
    }
    KPID_TRY(const std::int64_t since, read_integer(object, "since"));
    kpi.since = Timestamp(since);
    return kpi;
}

}  // namespace

void write_labels(JsonWriter& writer, const model::Labels& labels) {
    writer.begin_object();
    for (const model::Label& label : labels) {
        writer.key(label.name).string(label.value);
    }
    writer.end_object();
}

Result<model::Labels> read_labels(const simdjson::dom::element& object) {
    simdjson::dom::object members;
    if (object.get(members) != simdjson::SUCCESS) {
        return invalid_argument("state: labels are not an object");
    }
    std::vector<model::Label> labels;
    for (const auto& member : members) {
        std::string_view value;
        if (member.value.get(value) != simdjson::SUCCESS) {
            return bad_member(member.key);
        }
        labels.push_back({std::string(member.key), std::string(value)});
    }
    return model::Labels::from(std::move(labels));
}

Result<std::string> read_text(const simdjson::dom::element& object, std::string_view name) {
    std::string_view text;
    if (object[name].get(text) != simdjson::SUCCESS) {
        return bad_member(name);
    }
    return std::string(text);
}

Result<std::int64_t> read_integer(const simdjson::dom::element& object, std::string_view name) {
    std::int64_t value = 0;
    if (object[name].get(value) != simdjson::SUCCESS) {
        return bad_member(name);
    }
    return value;
}

void write_alert(JsonWriter& writer, const Alert& alert) {
    writer.begin_object().key("identity");
    write_labels(writer, alert.identity);
    writer.key("labels");
    write_labels(writer, alert.labels);
    writer.key("annotations").begin_object();
    for (const auto& [name, text] : alert.annotations) {
        writer.key(name).string(text);
    }
    writer.end_object();
    writer.key("starts_at").number(alert.starts_at.ms());
    writer.key("ends_at").number(alert.ends_at.ms());
    writer.key("ended").string(to_string(alert.ended));
    writer.key("generator_url").string(alert.generator_url);
    if (alert.kpi) {
        writer.key("kpi");
        write_kpi(writer, *alert.kpi);
    }
    writer.end_object();
}

Result<Alert> read_alert(const simdjson::dom::element& object) {
    Alert alert;
    simdjson::dom::element part;
    if (object["identity"].get(part) != simdjson::SUCCESS) {
        return bad_member("identity");
    }
    KPID_TRY(alert.identity, read_labels(part));
    if (object["labels"].get(part) != simdjson::SUCCESS) {
        return bad_member("labels");
    }
    KPID_TRY(alert.labels, read_labels(part));
    simdjson::dom::object annotations;
    if (object["annotations"].get(annotations) != simdjson::SUCCESS) {
        return bad_member("annotations");
    }
    for (const auto& member : annotations) {
        std::string_view text;
        if (member.value.get(text) != simdjson::SUCCESS) {
            return bad_member("annotations");
        }
        alert.annotations.emplace(member.key, text);
    }
    KPID_TRY(const std::int64_t starts_at, read_integer(object, "starts_at"));
    KPID_TRY(const std::int64_t ends_at, read_integer(object, "ends_at"));
    alert.starts_at = Timestamp(starts_at);
    alert.ends_at = Timestamp(ends_at);
    KPID_TRY(const std::string ended, read_text(object, "ended"));
    KPID_TRY(alert.ended, parse_end_reason(ended));
    KPID_TRY(alert.generator_url, read_text(object, "generator_url"));
    if (object["kpi"].get(part) == simdjson::SUCCESS) {
        KPID_TRY(alert.kpi, read_kpi(part));
    }
    return alert;
}

void write_time(JsonWriter& writer, std::string_view name, const std::optional<Timestamp>& time) {
    if (time) {
        writer.key(name).number(time->ms());
    }
}

std::optional<Timestamp> read_time(const simdjson::dom::element& object, std::string_view name) {
    std::int64_t ms = 0;
    if (object[name].get_int64().get(ms) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    return Timestamp(ms);
}

}  // namespace kpid::alerting
