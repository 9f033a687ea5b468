// Rules and alerts as Prometheus shows them.
#include "http/rules_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::http {
namespace {

struct Filter {
    bool alerting = true;
    bool recording = true;
    bool with_alerts = true;
    std::vector<std::string_view> names;
    std::vector<std::string_view> groups;
    std::vector<std::string_view> files;
    std::vector<std::vector<model::Matcher>> labels;  ///< One of these sets fits.
};

/// 0 groups: all of them on one page.
struct Page {
    std::int64_t groups = 0;
    std::string_view first;  ///< The token of its first group; empty: the very first.
};

bool wants(const std::vector<std::string_view>& wanted, std::string_view text) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), text) != wanted.end();
}

std::string in_lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower;
}

Result<Filter> read_filter(const net::HttpParams& params) {
    Filter filter{.names = params.get_all("rule_name[]"),
                  .groups = params.get_all("rule_group[]"),
                  .files = params.get_all("file[]")};
    KPID_TRY(filter.labels, match_params(params));
    const std::string type = in_lower_case(params.get_or("type", ""));
    if (type == "alert") {
        filter.recording = false;
    } else if (type == "record") {
        filter.alerting = false;
    } else if (!type.empty()) {
        return bad_parameter("type", "not supported value \"" + type + "\"");
    }
    net::HttpParams lower;  // Prometheus takes any case here
    lower.add("exclude_alerts", in_lower_case(params.get_or("exclude_alerts", "")));
    KPID_TRY(const bool without_alerts,
             bool_param(lower, "exclude_alerts", "error converting exclude_alerts"));
    filter.with_alerts = !without_alerts;
    return filter;
}

Result<Page> read_page(const net::HttpParams& params) {
    Page page{.first = params.get_or("group_next_token", "")};
    const bool has_limit = !params.get_or("group_limit", "").empty();
    if (!page.first.empty() && !has_limit) {
        return bad_parameter(
            "group_next_token",
            "group_limit needs to be present in order to paginate over the groups");
    }
    const Result<std::optional<std::int64_t>> limit = integer_param(params, "group_limit");
    if (!limit) {
        return bad_parameter("group_limit",
                             "group_limit needs to be a valid number: " + limit.error().message);
    }
    if (has_limit && limit->value_or(0) <= 0) {
        return bad_parameter("group_limit", "group_limit needs to be greater than 0");
    }
    page.groups = limit->value_or(0);
    return page;
}

// Prometheus' token of a group: SHA-256 of its file and name.
std::string token_of(const evaluate::RuleGroupView& group) {
    const std::string text = group.file + ";" + group.name;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        size = 0;
    }
    std::string token;
    for (unsigned int i = 0; i < size; ++i) {
        token += fmt::format("{:02x}", digest[i]);
    }
    return token;
}

bool has_fitting_labels(const evaluate::RuleView& rule, const Filter& filter) {
    const auto fits = [&rule](const model::Matcher& matcher) {
        const auto label = rule.labels.find(matcher.name());
        return matcher.matches(label == rule.labels.end() ? "" : label->second);
    };
    return filter.labels.empty() ||
           std::any_of(filter.labels.begin(), filter.labels.end(), [&fits](const auto& matchers) {
               return std::all_of(matchers.begin(), matchers.end(), fits);
           });
}

std::vector<const evaluate::RuleView*> fitting_rules(const evaluate::RuleGroupView& group,
                                                     const Filter& filter) {
    std::vector<const evaluate::RuleView*> rules;
    if (!wants(filter.groups, group.name) || !wants(filter.files, group.file)) {
        return rules;
    }
    for (const evaluate::RuleView& rule : group.rules) {
        const bool type_fits = rule.recording ? filter.recording : filter.alerting;
        if (type_fits && wants(filter.names, rule.name) && has_fitting_labels(rule, filter)) {
            rules.push_back(&rule);
        }
    }
    return rules;
}

// Null where they are not wanted.
void write_alerts(JsonWriter& json, const evaluate::RuleView& rule, bool wanted) {
    if (!wanted) {
        json.null();
        return;
    }
    json.begin_array();
    for (const alerting::ActiveAlert& alert : rule.alerts) {
        write_alert(json, alert);
    }
    json.end_array();
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
    json.key("labels");
    write_map(json, rule.labels);
    if (!rule.recording) {
        json.key("annotations");
        write_map(json, rule.annotations);
        json.key("alerts");
        write_alerts(json, rule, filter.with_alerts);
    }
    json.key("health").string(rule.health);
    if (!rule.last_error.empty()) {
        json.key("lastError").string(rule.last_error);
    }
    json.key("evaluationTime").number(seconds(rule.evaluation_duration));
    json.key("lastEvaluation").string(format_rfc3339(rule.last_evaluation));
    json.key("type").string(rule.recording ? "recording" : "alerting").end_object();
}

void write_group(JsonWriter& json, const evaluate::RuleGroupView& group,
                 const std::vector<const evaluate::RuleView*>& rules, const Filter& filter) {
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

}  // namespace

Result<net::HttpResponse> rules_response(const std::vector<evaluate::RuleGroupView>& groups,
                                         const net::HttpParams& params) {
    KPID_TRY(const Filter filter, read_filter(params));
    KPID_TRY(const Page page, read_page(params));
    JsonWriter json;
    json.begin_object().key("groups").begin_array();
    bool begun = page.first.empty();
    std::int64_t written = 0;
    std::string next;
    for (const evaluate::RuleGroupView& group : groups) {
        begun = begun || token_of(group) == page.first;
        if (!begun) {
            continue;
        }
        const std::vector<const evaluate::RuleView*> rules = fitting_rules(group, filter);
        if (rules.empty()) {
            continue;
        }
        if (page.groups > 0 && written == page.groups) {
            next = token_of(group);
            break;
        }
        ++written;
        write_group(json, group, rules, filter);
    }
    if (!begun) {
        return bad_parameter(
            "group_next_token",
            fmt::format("invalid group_next_token '{}'. were rule groups changed?", page.first));
    }
    json.end_array();
    if (!next.empty()) {
        json.key("groupNextToken").string(next);
    }
    json.end_object();
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
