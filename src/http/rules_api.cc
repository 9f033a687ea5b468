// Rules and alerts as Prometheus shows them.
#include "http/rules_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"

#include <algorithm>

namespace kpid::http {
namespace {

struct Filter {
    bool alerting = true;
    bool recording = true;
    bool with_alerts = true;
    std::vector<std::string_view> names;
    std::vector<std::string_view> groups;
    std::vector<std::string_view> files;
};

bool wants(const std::vector<std::string_view>& wanted, std::string_view text) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), text) != wanted.end();
}

Result<Filter> read_filter(const net::HttpParams& params) {
    Filter filter{.names = params.get_all("rule_name[]"),
                  .groups = params.get_all("rule_group[]"),
                  .files = params.get_all("file[]")};
    const std::string_view type = params.get_or("type", "");
    if (type == "alert") {
        filter.recording = false;
    } else if (type == "record") {
        filter.alerting = false;
    } else if (!type.empty()) {
        return bad_parameter("type", "not supported value \"" + std::string(type) + "\"");
    }
    filter.with_alerts = params.get_or("exclude_alerts", "") != "true";
    return filter;
}

void write_rule(JsonWriter& json, const evaluate::RuleView& rule, const Filter& filter) {
    json.begin_object();
    if (!rule.recording) {
        json.key("state").string(rule.state());
    }
    json.key("name").string(rule.name).key("query").string(rule.query);
    if (!rule.recording) {
        json.key("duration").number(seconds(rule.hold));
        json.key("keepFiringFor").number(seconds(rule.keep_firing_for));
    }
    if (!rule.recording || !rule.labels.empty()) {
        json.key("labels");
        write_map(json, rule.labels);
    }
    if (!rule.recording) {
        json.key("annotations");
        write_map(json, rule.annotations);
        json.key("alerts").begin_array();
        for (const alerting::ActiveAlert& alert : rule.alerts) {
            if (filter.with_alerts) {
                write_alert(json, alert);
            }
        }
        json.end_array();
    }
    json.key("health").string(rule.health);
    if (!rule.last_error.empty()) {
        json.key("lastError").string(rule.last_error);
    }
    json.key("evaluationTime").number(seconds(rule.evaluation_duration));
    json.key("lastEvaluation").string(format_rfc3339(rule.last_evaluation));
    json.key("type").string(rule.recording ? "recording" : "alerting").end_object();
}

}  // namespace

Result<net::HttpResponse> rules_response(const evaluate::Evaluator& evaluator,
                                         const net::HttpParams& params) {
    KPID_TRY(const Filter filter, read_filter(params));
    JsonWriter json;
    json.begin_object().key("groups").begin_array();
    for (const evaluate::RuleGroupView& group : evaluator.rule_groups()) {
        if (!wants(filter.groups, group.name) || !wants(filter.files, group.file)) {
            continue;
        }
        std::vector<const evaluate::RuleView*> rules;
        for (const evaluate::RuleView& rule : group.rules) {
            const bool type_fits = rule.recording ? filter.recording : filter.alerting;
            if (type_fits && wants(filter.names, rule.name)) {
                rules.push_back(&rule);
            }
        }
        const bool filtered = !filter.names.empty() || !filter.alerting || !filter.recording;
        if (rules.empty() && filtered) {
            continue;
        }
        json.begin_object().key("name").string(group.name).key("file").string(group.file);
        json.key("rules").begin_array();
        for (const evaluate::RuleView* rule : rules) {
            write_rule(json, *rule, filter);
        }
        json.end_array().key("interval").number(seconds(group.interval));
        json.key("limit").number(group.limit);
        json.key("evaluationTime").number(seconds(group.evaluation_duration));
        json.key("lastEvaluation").string(format_rfc3339(group.last_evaluation)).end_object();
    }
    json.end_array().end_object();
    return success(std::move(json).take());
}

net::HttpResponse alerts_response(const evaluate::Evaluator& evaluator) {
    JsonWriter json;
    json.begin_object().key("alerts").begin_array();
    for (const alerting::ActiveAlert& alert : evaluator.alerts()) {
        write_alert(json, alert);
    }
    json.end_array().end_object();
    return success(std::move(json).take());
}

}  // namespace kpid::http
