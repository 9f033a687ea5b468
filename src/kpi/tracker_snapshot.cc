// Writes and reads a tracker's memory as JSON: format in README.md.
#include "kpid/base/json_writer.h"
#include "kpid/kpi/tracker.h"

#include <simdjson.h>

#include <utility>

namespace kpid::kpi {
namespace {

using simdjson::dom::element;

constexpr std::int64_t kVersion = 1;

void write_time(JsonWriter& out, std::string_view key, const std::optional<Timestamp>& time) {
    if (time) {
        out.key(key).number(time->ms());
    }
}

std::optional<Timestamp> read_time(element object, std::string_view key) {
    std::int64_t ms = 0;
    if (object[key].get_int64().get(ms) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    return Timestamp(ms);
}

bool read_bool(element object, std::string_view key) {
    bool value = false;
    return object[key].get_bool().get(value) == simdjson::SUCCESS && value;
}

std::optional<Status> read_status(element object, std::string_view key) {
    std::string_view text;
    if (object[key].get_string().get(text) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    return parse_status(text);
}

std::optional<model::Labels> read_labels(element object) {
    simdjson::dom::object labels;
    if (object["labels"].get_object().get(labels) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    model::LabelsBuilder builder;
    for (const auto field : labels) {
        std::string_view value;
        if (field.value.get_string().get(value) != simdjson::SUCCESS) {
            return std::nullopt;
        }
        builder.set(field.key, value);
    }
    return builder.build();
}

Error damaged(std::string_view what) {
    return Error{Code::kDataLoss, "the stored state of a KPI is damaged: " + std::string(what)};
}

}  // namespace

std::string Tracker::snapshot() const {
    JsonWriter out;
    out.begin_object().key("version").number(kVersion);
    out.key("loaded_at").number(loaded_at_.ms());
    out.key("ever_had_value").boolean(ever_had_value_);
    out.key("without_value").boolean(without_value_);
    out.key("status").string(to_string(status_));
    out.key("since").number(since_.ms());
    out.key("instances").begin_array();
    for (const auto& [labels, instance] : instances_) {
        out.begin_object().key("labels").begin_object();
        for (const model::Label& label : labels) {
            out.key(label.name).string(label.value);
        }
        out.end_object();
        out.key("status").string(to_string(instance.status));
        out.key("previous").string(to_string(instance.previous));
        out.key("since").number(instance.since.ms());
        out.key("last_judged").string(to_string(instance.last_judged));
        out.key("warning_entered").boolean(instance.warning_entered);
        out.key("critical_entered").boolean(instance.critical_entered);
        out.key("silent").boolean(instance.silent);
        if (instance.value) {
            out.key("value").number(*instance.value);
        }
        write_time(out, "last_value_at", instance.last_value_at);
        write_time(out, "last_sample", instance.last_sample);
        out.end_object();
    }
    out.end_array().end_object();
    dirty_ = false;
    return std::move(out).take();
}

Result<Tracker> Tracker::restore(std::string_view json, Timestamp now) {
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(simdjson::padded_string(json)).get(root) != simdjson::SUCCESS) {
        return damaged("not JSON");
    }
    std::int64_t version = 0;
    if (root["version"].get_int64().get(version) != simdjson::SUCCESS || version != kVersion) {
        return damaged("unknown version");
    }
    const std::optional<Timestamp> loaded_at = read_time(root, "loaded_at");
    const std::optional<Status> status = read_status(root, "status");
    const std::optional<Timestamp> since = read_time(root, "since");
    simdjson::dom::array instances;
    if (!loaded_at || !status || !since ||
        root["instances"].get_array().get(instances) != simdjson::SUCCESS) {
        return damaged("a field is missing");
    }
    Tracker tracker(*loaded_at);
    tracker.started_at_ = now;
    tracker.ever_had_value_ = read_bool(root, "ever_had_value");
    tracker.without_value_ = read_bool(root, "without_value");
    tracker.status_ = *status;
    tracker.since_ = *since;
    for (const element entry : instances) {
        const std::optional<model::Labels> labels = read_labels(entry);
        const std::optional<Status> entry_status = read_status(entry, "status");
        const std::optional<Timestamp> entry_since = read_time(entry, "since");
        if (!labels || !entry_status || !entry_since) {
            return damaged("an instance is incomplete");
        }
        Instance& instance = tracker.instances_[*labels];
        instance.status = *entry_status;
        instance.previous = read_status(entry, "previous").value_or(*entry_status);
        instance.since = *entry_since;
        instance.last_judged = read_status(entry, "last_judged").value_or(*entry_status);
        instance.warning_entered = read_bool(entry, "warning_entered");
        instance.critical_entered = read_bool(entry, "critical_entered");
        instance.silent = read_bool(entry, "silent");
        if (double value = 0; entry["value"].get_double().get(value) == simdjson::SUCCESS) {
            instance.value = value;
        }
        instance.last_value_at = read_time(entry, "last_value_at");
        instance.last_sample = read_time(entry, "last_sample");
    }
    tracker.dirty_ = false;
    return tracker;
}

}  // namespace kpid::kpi
