// The evaluation of a rule group: query, state machine, samples, hand-over.
#include "evaluate/rule_group_unit.h"

#include "evaluate/rule_view.h"
#include "evaluate/value_input.h"
#include "kpid/promql/selectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

namespace kpid::evaluate {
namespace {

std::vector<alerting::RuleValue> rule_values(const promql::Vector& vector) {
    std::vector<alerting::RuleValue> values;
    values.reserve(vector.size());
    for (const promql::VectorSample& sample : vector) {
        values.push_back({sample.labels, sample.value});
    }
    return values;
}

std::vector<std::pair<std::string, std::string>> pairs(
    const std::map<std::string, std::string>& map) {
    return {map.begin(), map.end()};
}

// Nothing when a selector does not name its metric.
std::optional<std::set<std::string>> metrics_read(const config::RuleConfig& rule) {
    std::set<std::string> names;
    for (const promql::VectorSelector* selector : promql::collect_selectors(*rule.expr)) {
        const auto named = std::find_if(
            selector->matchers.begin(), selector->matchers.end(), [](const model::Matcher& one) {
                return one.name() == model::kMetricName && one.type() == model::MatchType::kEqual;
            });
        if (named == selector->matchers.end()) {
            return std::nullopt;
        }
        names.insert(named->value());
    }
    // Templates may query anything.
    const bool has_templates = !rule.label_templates.empty() || !rule.annotation_templates.empty();
    return has_templates ? std::nullopt : std::optional(std::move(names));
}

}  // namespace

std::string RuleGroupUnit::group_key(const config::RuleGroup& group) {
    return group.file + ";" + group.name;
}

RuleGroupUnit::RuleGroupUnit(const Context& context, Snapshot snapshot, std::size_t group_index)
    : context_(context),
      key_(group_key(snapshot.config->rule_groups[group_index])),
      group_index_(0) {
    static_cast<void>(set(std::move(snapshot), group_index));
}

bool RuleGroupUnit::set(Snapshot snapshot, std::size_t group_index) {
    const MutexLock lock(mutex_);
    const config::RuleGroup& group = snapshot.config->rule_groups[group_index];
    bool rules_went = false;
    if (snapshot_.config != nullptr) {
        std::vector<std::string> before = state_keys(snapshot_.config->rule_groups[group_index_]);
        std::vector<std::string> after = state_keys(group);
        std::sort(before.begin(), before.end());
        std::sort(after.begin(), after.end());
        rules_went = !std::includes(after.begin(), after.end(), before.begin(), before.end());
    }
    if (view_.rules.empty()) {
        view_ = group_view(group);
    }
    snapshot_ = std::move(snapshot);
    group_index_ = group_index;
    changed_ = true;
    removed_ = false;
    ended_ = false;
    return rules_went;
}

bool RuleGroupUnit::gone() const {
    const MutexLock lock(mutex_);
    return removed_ && ended_;
}

void RuleGroupUnit::remove() {
    const MutexLock lock(mutex_);
    removed_ = true;
}

Duration RuleGroupUnit::interval() const {
    const MutexLock lock(mutex_);
    return snapshot_.config->rule_groups[group_index_].interval;
}

RuleGroupView RuleGroupUnit::view() const {
    const MutexLock lock(mutex_);
    return view_;
}

void RuleGroupUnit::restore() {
    Snapshot snapshot;
    std::size_t index = 0;
    {
        const MutexLock lock(mutex_);
        snapshot = snapshot_;
        index = group_index_;
    }
    const config::RuleGroup& group = snapshot.config->rule_groups[index];
    rules_ = match_states(group);
    evaluations_until_for_restore_ = kForRestoreAfter;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        Rule& rule = rules_[i];
        if (!rule.alerting) {
            continue;
        }
        const bool long_for = group.rules[i].hold >= alerting::ForRestoreOptions{}.grace_period;
        rule.alerts = alerting::RuleState(long_for);
        const Result<std::optional<std::string>> stored = context_.state.get(rule.key);
        if (!stored) {
            context_.log.error("the stored state of a rule could not be read, it begins anew",
                               {{"rule", rule.key}, {"error", stored.error().message}});
        }
        if (!stored || !*stored) {
            continue;
        }
        Result<alerting::RuleState> state = alerting::RuleState::restore(**stored, long_for);
        if (state) {
            rule.alerts = std::move(*state);
        } else {
            context_.log.error("the stored state of a rule is not readable, it begins anew",
                               {{"rule", rule.key}, {"error", state.error().message}});
        }
    }
}

// Rules are told apart by kind, name and labels; the n-th of those that share them has their n-th
// place.
std::vector<std::string> RuleGroupUnit::state_keys(const config::RuleGroup& group) {
    std::vector<std::string> keys;
    std::map<std::string, int> seen;
    for (const config::RuleConfig& config : group.rules) {
        std::string rule = (config.is_alert() ? "alert;" : "record;") + config.name();
        if (!config.labels.empty()) {
            std::string labels;
            for (const auto& [name, value] : config.labels) {
                labels += name + "=" + model::quote_label_value(value) + ",";
            }
            rule += fmt::format(";{:016x}", hash_bytes(labels));
        }
        keys.push_back(
            fmt::format("{}{};{};{}", kStatePrefix, group_key(group), rule, seen[rule]++));
    }
    return keys;
}

// States by place. What is left in rules_ afterwards went away.
std::vector<RuleGroupUnit::Rule> RuleGroupUnit::match_states(const config::RuleGroup& group) {
    std::vector<Rule> matched;
    std::map<std::string_view, Rule*> before;
    for (Rule& rule : rules_) {
        before.emplace(rule.key, &rule);
    }
    std::vector<std::string> keys = state_keys(group);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto found = before.find(keys[i]);
        if (found == before.end()) {
            Rule fresh;
            fresh.key = std::move(keys[i]);
            fresh.alerting = group.rules[i].is_alert();
            matched.push_back(std::move(fresh));
        } else {
            Rule* const rule = found->second;
            before.erase(found);
            matched.push_back(std::move(*rule));
            rule->key.clear();
        }
    }
    std::erase_if(rules_, [](const Rule& rule) { return rule.key.empty(); });
    return matched;
}

// What follows from the configuration alone.
void RuleGroupUnit::prepare(const config::RuleGroup& group) {
    const std::string& external_url = current_.config->global.external_url;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const config::RuleConfig& config = group.rules[i];
        Rule& rule = rules_[i];
        rule.plan.emplace(config.expr, context_.reader);
        rule.reads = metrics_read(config);
        if (!config.is_alert()) {
            rule.record_definition = {
                .name = config.record, .labels = pairs(config.labels), .limit = group.limit};
            continue;
        }
        rule.alert_definition = {
            .name = config.alert,
            .hold = config.hold,
            .keep_firing_for = config.keep_firing_for,
            .labels = pairs(config.labels),
            .annotations = pairs(config.annotations),
            .limit = group.limit,
            .generator_url = external_url.empty() ? "" : graph_url(external_url, config.expr_text)};
    }
}

void RuleGroupUnit::evaluate(Timestamp now, MonoTime) {
    const MonoTime started = context_.clock.mono_now();
    std::size_t index = 0;
    bool changed = false;
    bool removed = false;
    {
        const MutexLock lock(mutex_);
        current_ = snapshot_;
        index = group_index_;
        changed = std::exchange(changed_, false);
        removed = removed_;
    }
    const config::RuleGroup& group = current_.config->rule_groups[index];
    if (removed) {
        end_rules(group, rules_, now);
        const bool handed_over = outgoing_.hand_over(context_, key_, now);
        const MutexLock lock(mutex_);
        ended_ = removed_ && handed_over;
        return;
    }
    if (changed) {
        std::vector<Rule> matched = match_states(group);
        end_rules(group, rules_, now);
        rules_ = std::move(matched);
        prepare(group);
        const MutexLock lock(mutex_);
        is_view_current_ = false;
    }
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        evaluate_rule(group, group.rules[i], rules_[i], now);
        take_changed_state(rules_[i]);
    }
    record_now();
    if (evaluations_until_for_restore_ > 0) {
        --evaluations_until_for_restore_;
        if (evaluations_until_for_restore_ == 0) {
            restore_for_states(group, now);
        }
    }
    static_cast<void>(outgoing_.hand_over(context_, key_, now));
    publish(group, now, started);
}

void RuleGroupUnit::evaluate_rule(const config::RuleGroup& group, const config::RuleConfig& config,
                                  Rule& rule, Timestamp now) {
    const MonoTime started = context_.clock.mono_now();
    context_.metrics.rule_evaluations.Increment();
    Result<void> outcome;
    if (unrecorded_.size() >= kUnrecordedMax || reads_unrecorded(rule)) {
        record_now();
    }
    Result<promql::Vector> answer = query_vector(current_, *rule.plan, now - group.query_offset);
    if (!answer) {
        outcome = answer.error();
    } else {
        const std::vector<alerting::RuleValue> values = rule_values(*answer);
        outcome = config.is_alert() ? evaluate_alert(group, config, rule, values, now)
                                    : evaluate_recording(group, rule, values, now);
    }
    rule.health = outcome ? "ok" : "err";
    rule.last_error = outcome ? "" : outcome.error().message;
    rule.last_evaluation = now;
    rule.evaluation_duration = context_.clock.mono_now() - started;
    if (!outcome) {
        context_.metrics.rule_failures.Increment();
        context_.log.warn("a rule could not be evaluated", {{"file", group.file},
                                                            {"group", group.name},
                                                            {"rule", config.name()},
                                                            {"error", rule.last_error}});
    }
}

Result<void> RuleGroupUnit::evaluate_alert(const config::RuleGroup& group,
                                           const config::RuleConfig& config, Rule& rule,
                                           std::span<const alerting::RuleValue> values,
                                           Timestamp now) {
    const RuleExpander expander(context_, current_, config, now);
    const bool may_end =
        !rule.alerts.has_restored() || now - context_.started_at >= longest_valid_for(current_) ||
        ending_allowed(context_, find_inputs(context_, current_, *config.expr, now), now);
    KPID_TRY(alerting::RuleUpdate update,
             rule.alerts.update(
                 now, rule.alert_definition, values,
                 [&expander](std::string_view text, const model::Labels& labels, double value) {
                     return expander.expand(text, labels, value);
                 },
                 MonoTime{}, may_end));
    for (alerting::Transition& transition : update.transitions) {
        if (transition.kind == alerting::TransitionKind::kChanged) {
            outgoing_.add(std::move(transition.alert));
        }
    }
    record_later(std::move(update.samples), group.query_offset);
    if (update.error) {
        return *update.error;
    }
    return {};
}

Result<void> RuleGroupUnit::evaluate_recording(const config::RuleGroup& group, Rule& rule,
                                               std::span<const alerting::RuleValue> values,
                                               Timestamp now) {
    KPID_TRY(std::vector<model::SeriesSample> samples,
             rule.recording.update(now, rule.record_definition, values));
    record_later(std::move(samples), group.query_offset);
    return {};
}

// Samples carry the instant that was queried, as in Prometheus.
void RuleGroupUnit::record_later(std::vector<model::SeriesSample> samples, Duration offset) {
    for (model::SeriesSample& sample : samples) {
        sample.time -= offset;
        const std::string_view name = sample.labels.metric_name();
        if (!unrecorded_names_.contains(name)) {
            unrecorded_names_.emplace(name);
        }
        unrecorded_.push_back(std::move(sample));
    }
}

void RuleGroupUnit::record_now() {
    if (!unrecorded_.empty()) {
        record(context_, unrecorded_);
        unrecorded_.clear();
        unrecorded_names_.clear();
    }
}

bool RuleGroupUnit::reads_unrecorded(const Rule& rule) const {
    return !unrecorded_.empty() &&
           (!rule.reads ||
            std::any_of(rule.reads->begin(), rule.reads->end(), [this](const std::string& name) {
                return unrecorded_names_.contains(name);
            }));
}

// Their series end at the instant that an evaluation would write at.
void RuleGroupUnit::end_rules(const config::RuleGroup& group, std::vector<Rule>& rules,
                              Timestamp now) {
    for (Rule& rule : rules) {
        if (!rule.alerting) {
            record_later(rule.recording.remove_all(now), group.query_offset);
            continue;
        }
        alerting::RuleUpdate update = rule.alerts.remove_all(now);
        for (alerting::Transition& transition : update.transitions) {
            outgoing_.add(std::move(transition.alert));
        }
        record_later(std::move(update.samples), group.query_offset);
        outgoing_.write(rule.key, std::nullopt);
    }
    record_now();
    rules.clear();
}

// As Prometheus' restoreForState: since when an alert was active, and until when that was written.
void RuleGroupUnit::restore_for_states(const config::RuleGroup& group, Timestamp now) {
    const alerting::ForRestoreOptions options;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        Rule& rule = rules_[i];
        if (!rule.alerting || !rule.alerts.for_state_pending()) {
            continue;
        }
        const std::array matchers{model::Matcher::equal(model::kMetricName, "ALERTS_FOR_STATE"),
                                  model::Matcher::equal("alertname", group.rules[i].alert)};
        const Result<std::vector<model::SeriesColumns>> series = context_.reader.select(
            matchers, {now - options.outage_tolerance, now}, {.samples_max = kForStateSamplesMax});
        std::vector<alerting::StoredForState> stored;
        if (!series) {
            context_.log.error("the time that alerts of a rule waited could not be read",
                               {{"rule", rule.key}, {"error", series.error().message}});
        } else {
            for (const model::SeriesColumns& columns : *series) {
                stored.push_back({.labels = columns.labels,
                                  .time = columns.times.back(),
                                  .value = columns.values.back()});
            }
        }
        rule.alerts.restore_for_state(now, group.rules[i].hold, stored, options);
    }
}

void RuleGroupUnit::take_changed_state(Rule& rule) {
    if (!rule.alerting) {
        return;
    }
    for (alerting::Alert& alert : rule.alerts.due_for_sending(rule.last_evaluation)) {
        outgoing_.add(std::move(alert));
    }
    if (rule.alerts.changed_since_snapshot()) {
        outgoing_.write(rule.key, rule.alerts.snapshot());
    }
}

void RuleGroupUnit::publish(const config::RuleGroup& group, Timestamp now, MonoTime started) {
    const MutexLock lock(mutex_);
    if (!std::exchange(is_view_current_, true)) {
        view_ = group_view(group);
    }
    view_.last_evaluation = now;
    view_.evaluation_duration = context_.clock.mono_now() - started;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const Rule& rule = rules_[i];
        RuleView& shown = view_.rules[i];
        shown.health = rule.health;
        shown.last_error = rule.last_error;
        shown.last_evaluation = rule.last_evaluation;
        shown.evaluation_duration = rule.evaluation_duration;
        if (rule.alerting) {
            shown.alerts = rule.alerts.active();
        }
    }
}

}  // namespace kpid::evaluate
