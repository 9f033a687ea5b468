// Writes and reads the alerts of an alerting rule as JSON: format in README.md.
#include "alerting/alert_json.h"
#include "kpid/alerting/rule_state.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"

#include <simdjson.h>

#include <utility>

namespace kpid::alerting {
namespace {

using simdjson::dom::element;

constexpr std::int64_t kVersion = 1;

Error damaged(std::string_view what) {
    return Error{Code::kDataLoss, "the stored alerts of a rule are damaged: " + std::string(what)};
}

}  // namespace

std::string RuleState::snapshot() const {
    JsonWriter out;
    out.begin_object().key("version").number(kVersion);
    out.key("alerts").begin_array();
    for (const auto& [labels, entry] : entries_) {
        if (entry.phase == Phase::kPending) {
            continue;
        }
        out.begin_object();
        out.key("firing").boolean(entry.phase == Phase::kFiring);
        out.key("active_at").number(entry.active_at.ms());
        write_time(out, "keep_firing_since", entry.keep_firing_since);
        write_time(out, "last_sent_at", entry.last_sent_at);
        out.key("value").string(format_float_general(entry.value));
        out.key("alert");
        write_alert(out, entry.alert);
        out.end_object();
    }
    out.end_array().end_object();
    dirty_ = false;
    return std::move(out).take();
}

Result<RuleState> RuleState::restore(std::string_view json, bool for_state_pending) {
    simdjson::dom::parser parser;
    element root;
    if (parser.parse(simdjson::padded_string(json)).get(root) != simdjson::SUCCESS) {
        return damaged("not JSON");
    }
    const Result<std::int64_t> version = read_integer(root, "version");
    simdjson::dom::array alerts;
    if (!version || *version != kVersion ||
        root["alerts"].get_array().get(alerts) != simdjson::SUCCESS) {
        return damaged("unknown version");
    }
    const auto read_entry = [](element object) -> Result<Entry> {
        Entry entry;
        element alert;
        bool firing = false;
        if (object["alert"].get(alert) != simdjson::SUCCESS ||
            object["firing"].get_bool().get(firing) != simdjson::SUCCESS) {
            return damaged("an alert is incomplete");
        }
        KPID_TRY(entry.alert, read_alert(alert));
        KPID_TRY(const std::int64_t active_at, read_integer(object, "active_at"));
        KPID_TRY(const std::string value, read_text(object, "value"));
        KPID_TRY(entry.value, parse_float(value));
        entry.active_at = Timestamp(active_at);
        entry.keep_firing_since = read_time(object, "keep_firing_since");
        entry.last_sent_at = read_time(object, "last_sent_at");
        entry.restored = true;
        entry.phase = firing ? Phase::kFiring : Phase::kPending;
        if (!entry.alert.firing()) {
            entry.phase = Phase::kEnded;
        }
        return entry;
    };
    RuleState state(for_state_pending);
    for (const element object : alerts) {
        Result<Entry> entry = read_entry(object);
        if (!entry) {
            return damaged(entry.error().message);
        }
        if (entry->phase == Phase::kPending) {
            continue;
        }
        model::Labels labels = entry->alert.labels;
        state.entries_.insert_or_assign(std::move(labels), *std::move(entry));
    }
    state.dirty_ = false;
    return state;
}

}  // namespace kpid::alerting
