// Writes and reads the alerts of a KPI's conditions as JSON: format in README.md.
#include "alerting/alert_json.h"
#include "kpid/alerting/condition_state.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"

#include <simdjson.h>

#include <limits>
#include <utility>

namespace kpid::alerting {
namespace {

using simdjson::dom::element;

constexpr std::int64_t kVersion = 1;

Error damaged(std::string_view what) {
    return Error{Code::kDataLoss, "the stored alerts of a KPI are damaged: " + std::string(what)};
}

bool read_bool(element object, std::string_view key) {
    bool value = false;
    return object[key].get_bool().get(value) == simdjson::SUCCESS && value;
}

Result<simdjson::dom::array> read_array(element object, std::string_view key) {
    simdjson::dom::array array;
    if (object[key].get_array().get(array) != simdjson::SUCCESS) {
        return damaged(key);
    }
    return array;
}

}  // namespace

std::string ConditionAlerts::snapshot() const {
    JsonWriter out;
    out.begin_object().key("version").number(kVersion).key("tracks").begin_array();
    for (const auto& [key, track] : tracks_) {
        out.begin_object().key("instance");
        write_labels(out, key.first);
        out.key("condition").string(key.second);
        write_time(out, "judged_sample", track.judged_sample);
        out.key("levels").begin_array();
        for (const auto& [severity, level] : track.levels) {
            out.begin_object().key("severity").string(severity);
            out.key("rank").number(level.rank);
            out.key("active").boolean(level.active);
            out.key("active_since").number(level.active_since.ms());
            out.key("firing").boolean(level.firing);
            write_time(out, "inactive_since", level.inactive_since);
            out.key("value").string(format_float_general(level.value));
            out.key("alert");
            write_alert(out, level.alert);
            out.end_object();
        }
        out.end_array().end_object();
    }
    out.end_array().key("ended").begin_array();
    for (const Alert& alert : ended_) {
        write_alert(out, alert);
    }
    out.end_array().end_object();
    dirty_ = false;
    return std::move(out).take();
}

Result<ConditionAlerts> ConditionAlerts::restore(model::Labels base, std::string_view json) {
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(simdjson::padded_string(json)).get(root) != simdjson::SUCCESS) {
        return damaged("not JSON");
    }
    const Result<std::int64_t> version = read_integer(root, "version");
    if (!version || *version != kVersion) {
        return damaged("unknown version");
    }
    const auto read_level = [](element entry) -> Result<Level> {
        Level level;
        element alert;
        const std::optional<Timestamp> active_since = read_time(entry, "active_since");
        KPID_TRY(const std::int64_t rank, read_integer(entry, "rank"));
        KPID_TRY(const std::string value, read_text(entry, "value"));
        if (!active_since || rank < 0 || entry["alert"].get(alert) != simdjson::SUCCESS) {
            return damaged("a level is incomplete");
        }
        KPID_TRY(level.value, parse_float(value));
        KPID_TRY(level.alert, read_alert(alert));
        level.rank = static_cast<std::size_t>(rank);
        level.active = read_bool(entry, "active");
        level.active_since = *active_since;
        level.firing = read_bool(entry, "firing");
        level.inactive_since = read_time(entry, "inactive_since");
        return level;
    };
    const auto read_track = [&read_level](element entry) -> Result<std::pair<Key, Track>> {
        element instance;
        if (entry["instance"].get(instance) != simdjson::SUCCESS) {
            return damaged("a track has no instance");
        }
        std::pair<Key, Track> out;
        KPID_TRY(out.first.first, read_labels(instance));
        KPID_TRY(out.first.second, read_text(entry, "condition"));
        out.second.judged_sample = read_time(entry, "judged_sample");
        KPID_TRY(const simdjson::dom::array levels, read_array(entry, "levels"));
        for (const element level_entry : levels) {
            KPID_TRY(const std::string severity, read_text(level_entry, "severity"));
            KPID_TRY(Level level, read_level(level_entry));
            // What only waits has nothing that could end too early.
            out.second.restored = out.second.restored || level.firing;
            out.second.levels.insert_or_assign(severity, std::move(level));
        }
        return out;
    };
    const auto as_damage = [](const Error& error) { return damaged(error.message); };

    ConditionAlerts alerts(std::move(base));
    KPID_TRY(const simdjson::dom::array tracks, read_array(root, "tracks"));
    for (const element entry : tracks) {
        Result<std::pair<Key, Track>> track = read_track(entry);
        if (!track) {
            return as_damage(track.error());
        }
        alerts.tracks_.insert(*std::move(track));
    }
    KPID_TRY(const simdjson::dom::array ended, read_array(root, "ended"));
    for (const element entry : ended) {
        Result<Alert> alert = read_alert(entry);
        if (!alert) {
            return as_damage(alert.error());
        }
        alerts.ended_.push_back(*std::move(alert));
    }
    alerts.dirty_ = false;
    return alerts;
}

}  // namespace kpid::alerting
