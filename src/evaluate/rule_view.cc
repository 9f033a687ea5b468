// Rule views and template expansion.
#include "evaluate/rule_view.h"

#include "evaluate/value_input.h"
#include "kpid/kpi/levels.h"
#include "kpid/promql/printer.h"
#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::evaluate {
namespace {

const alerting::Template* find_template(const config::RuleConfig& rule, std::string_view text) {
    for (const auto& [name, value] : rule.labels) {
        if (value == text) {
            const auto found = rule.label_templates.find(name);
            return found == rule.label_templates.end() ? nullptr : &found->second;
        }
    }
    for (const auto& [name, value] : rule.annotations) {
        if (value == text) {
            const auto found = rule.annotation_templates.find(name);
            return found == rule.annotation_templates.end() ? nullptr : &found->second;
        }
    }
    return nullptr;
}

std::string bound_text(const kpi::Bound& bound, const config::KpiEntry& entry) {
    if (const auto* reference = std::get_if<kpi::ExprBound>(&bound)) {
        return "(" + entry.bounds[reference->index].text + ")";
    }
    return fmt::format("{}", std::get<double>(bound));
}

// The level as PromQL, for people: what would fire.
std::string level_query(const config::KpiEntry& entry, const kpi::Condition& condition) {
    std::string value = "(" + entry.definition.value_expr + ")";
    const std::string a = bound_text(condition.a, entry);
    const std::string b = bound_text(condition.b, entry);
    switch (condition.op) {
        case kpi::Operator::kAtLeast:
            return value + " >= " + a;
        case kpi::Operator::kAtMost:
            return value + " <= " + a;
        case kpi::Operator::kAbove:
            return value + " > " + a;
        case kpi::Operator::kBelow:
            return value + " < " + a;
        case kpi::Operator::kBetween:
            return value + " >= " + a + " <= " + b;
        case kpi::Operator::kOutside:
            return value + " < " + a + " or " + value + " > " + b;
    }
    return value;
}

RuleView level_view(const KpiView& kpi, const std::string& condition, const std::string& severity) {
    RuleView view{.name = kpi.entry->definition.id,
                  .query = kpi.entry->definition.value_expr,
                  .labels = {{"kpi", kpi.entry->definition.id},
                             {"condition", condition},
                             {"severity", severity}},
                  .annotations = kpi.entry->definition.annotations,
                  .last_error = kpi.error,
                  .last_evaluation = kpi.last_evaluation,
                  .evaluation_duration = kpi.evaluation_duration};
    if (kpi.last_evaluation != Timestamp()) {
        view.health = kpi.error.empty() ? "ok" : "err";
    }
    for (const alerting::ActiveAlert& active : kpi.alerts) {
        if (active.alert.identity.get("condition") == condition &&
            active.alert.identity.get("severity") == severity) {
            view.alerts.push_back(active);
        }
    }
    return view;
}

void append_levels(const KpiView& kpi, std::vector<RuleView>& rules) {
    const kpi::EffectiveLevels levels = kpi::base_levels(kpi.entry->definition);
    for (const auto& level : {levels.warning, levels.critical}) {
        if (level) {
            RuleView view = level_view(kpi, "threshold", level->severity);
            view.query = level_query(*kpi.entry, level->condition);
            view.hold = level->hold;
            view.keep_firing_for = level->keep_firing_for;
            rules.push_back(std::move(view));
        }
    }
    if (const auto severity = kpi.entry->definition.no_data.alert_severity()) {
        RuleView view = level_view(kpi, "no_data", *severity);
        view.query = "absent(" + kpi.entry->definition.value_expr + ")";
        rules.push_back(std::move(view));
    }
}

}  // namespace

std::string_view RuleView::state() const {
    bool pending = false;
    for (const alerting::ActiveAlert& active : alerts) {
        if (active.state == alerting::AlertState::kFiring) {
            return "firing";
        }
        pending = true;
    }
    return pending ? "pending" : "inactive";
}

RuleGroupView group_view(const config::RuleGroup& group) {
    RuleGroupView view{.name = group.name,
                       .file = group.file,
                       .interval = group.interval,
                       .limit = static_cast<std::size_t>(group.limit)};
    for (const config::RuleConfig& rule : group.rules) {
        view.rules.push_back({.recording = !rule.is_alert(),
                              .name = rule.name(),
                              .query = promql::to_string(*rule.expr),
                              .hold = rule.hold,
                              .keep_firing_for = rule.keep_firing_for,
                              .labels = rule.labels,
                              .annotations = rule.annotations});
    }
    return view;
}

std::vector<RuleGroupView> kpi_group_views(const std::vector<KpiView>& kpis) {
    std::map<std::string, RuleGroupView> by_file;
    for (const KpiView& kpi : kpis) {
        RuleGroupView& group = by_file[kpi.entry->file];
        group.name = "kpis";
        group.file = kpi.entry->file;
        group.interval = kpi.config->global.evaluation_interval;
        group.last_evaluation = std::max(group.last_evaluation, kpi.last_evaluation);
        group.evaluation_duration += kpi.evaluation_duration;
        append_levels(kpi, group.rules);
    }
    std::vector<RuleGroupView> views;
    views.reserve(by_file.size());
    for (auto& [file, group] : by_file) {
        views.push_back(std::move(group));
    }
    return views;
}

std::string graph_url(const std::string& external_url, std::string_view expr) {
    std::string query = net::url_encode(expr);
    // A space is a plus in a query, as Prometheus writes it.
    for (std::size_t at = query.find("%20"); at != std::string::npos; at = query.find("%20", at)) {
        query.replace(at, 3, "+");
    }
    return external_url + "/graph?g0.expr=" + query + "&g0.tab=1";
}

RuleExpander::RuleExpander(const Context& context, const Snapshot& snapshot,
                           const config::RuleConfig& rule, Timestamp now)
    : context_(context), snapshot_(snapshot), rule_(rule), now_(now) {
}

std::string RuleExpander::expand(std::string_view text, const model::Labels& labels,
                                 double value) const {
    const alerting::Template* compiled = find_template(rule_, text);
    if (compiled == nullptr) {
        return std::string(text);
    }
    const config::GlobalConfig& global = snapshot_.config->global;
    const alerting::TemplateEnvironment environment{.now = now_,
                                                    .external_url = global.external_url,
                                                    .query = [this](std::string_view expression) {
                                                        return template_query(context_, snapshot_,
                                                                              expression, now_);
                                                    }};
    alerting::TemplateOutput output = compiled->render(
        alerting::rule_template_data(labels, global.external_labels, global.external_url, value),
        environment);
    if (output.error) {
        context_.metrics.template_failures.Increment();
        context_.log.warn("a template of a rule failed",
                          {{"rule", rule_.name()}, {"error", output.error->message}});
    }
    return std::move(output.text);
}

}  // namespace kpid::evaluate
