#pragma once
// One group of Prometheus rules, evaluated in order.

#include "evaluate/context.h"
#include "evaluate/outgoing.h"
#include "evaluate/unit.h"
#include "evaluate/views.h"
#include "kpid/alerting/rule_state.h"
#include "kpid/base/hash.h"
#include "kpid/base/mutex.h"
#include "kpid/promql/plan.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// Evaluates the rules of a group one after the other, so that each sees what those before it
/// wrote. Concurrency and hand-over as KpiUnit.
class RuleGroupUnit final : public Unit {
public:
    /// `group_index`: into Config::rule_groups of the snapshot.
    RuleGroupUnit(const Context& context, Snapshot snapshot, std::size_t group_index);

    /// Takes up what was stored for its alerting rules, before its first evaluation.
    void restore();
    /// A new configuration: rules keep their state by name, labels and order, as in Prometheus;
    /// those that went away end with the next evaluation. True when there are such. Undoes
    /// remove().
    bool set(Snapshot snapshot, std::size_t group_index);
    /// All rules go away with the following evaluation; it is repeated until that could be handed
    /// over.
    void remove();

    [[nodiscard]] const std::string& name() const override { return key_; }
    [[nodiscard]] Duration interval() const override;
    void evaluate(Timestamp now, MonoTime cause_accepted_at) override;
    [[nodiscard]] bool gone() const override;

    [[nodiscard]] RuleGroupView view() const;

    /// What tells groups apart: file and name.
    [[nodiscard]] static std::string group_key(const config::RuleGroup& group);
    /// The places of its rules in the state store, in order of the rules.
    [[nodiscard]] static std::vector<std::string> state_keys(const config::RuleGroup& group);
    static constexpr std::string_view kStatePrefix = "evaluate/rule/";
    /// How many evaluations after a start what is stored of a rule's `for` is taken up.
    static constexpr int kForRestoreAfter = 2;
    /// Samples that are recorded together.
    static constexpr std::size_t kUnrecordedMax = 10'000;
    /// Samples of ALERTS_FOR_STATE that are read for one rule.
    static constexpr std::size_t kForStateSamplesMax = 10'000'000;

private:
    // The state of one rule; `key` is its place in the state store.
    struct Rule {
        std::string key;
        bool alerting = false;
        alerting::AlertingRule alert_definition;
        alerting::RecordingRule record_definition;
        std::optional<promql::Plan> plan;  // of the current expression
        // Names of metrics that it reads; nothing when that could be any.
        std::optional<std::set<std::string>> reads;
        alerting::RuleState alerts;
        alerting::RecordingState recording;
        std::string health = "unknown";
        std::string last_error;
        Timestamp last_evaluation;
        std::chrono::duration<double> evaluation_duration{0};
    };

    [[nodiscard]] std::vector<Rule> match_states(const config::RuleGroup& group);
    void prepare(const config::RuleGroup& group);
    void record_later(std::vector<model::SeriesSample> samples, Duration offset);
    void record_now();
    [[nodiscard]] bool reads_unrecorded(const Rule& rule) const;
    void evaluate_rule(const config::RuleGroup& group, const config::RuleConfig& config, Rule& rule,
                       Timestamp now);
    [[nodiscard]] Result<void> evaluate_alert(const config::RuleGroup& group,
                                              const config::RuleConfig& config, Rule& rule,
                                              std::span<const alerting::RuleValue> values,
                                              Timestamp now);
    [[nodiscard]] Result<void> evaluate_recording(const config::RuleGroup& group, Rule& rule,
                                                  std::span<const alerting::RuleValue> values,
                                                  Timestamp now);
    void end_rules(const config::RuleGroup& group, std::vector<Rule>& rules, Timestamp now);
    void restore_for_states(const config::RuleGroup& group, Timestamp now);
    void take_changed_state(Rule& rule);
    void publish(const config::RuleGroup& group, Timestamp now, MonoTime started);

    const Context& context_;
    const std::string key_;

    // Touched by evaluate() only (and by restore(), before the first).
    Snapshot current_;
    std::vector<Rule> rules_;
    int evaluations_until_for_restore_ = 0;  // 0: it is done, or there is nothing to do
    Outgoing outgoing_;
    // Of the running evaluation: recorded together, before a rule that may read them.
    std::vector<model::SeriesSample> unrecorded_;
    StringSet unrecorded_names_;  // of their metrics

    mutable Mutex mutex_;
    Snapshot snapshot_ KPID_GUARDED_BY(mutex_);
    std::size_t group_index_ KPID_GUARDED_BY(mutex_);
    bool changed_ KPID_GUARDED_BY(mutex_) = true;
    bool removed_ KPID_GUARDED_BY(mutex_) = false;
    bool ended_ KPID_GUARDED_BY(mutex_) = false;  // its removal is handed over
    RuleGroupView view_ KPID_GUARDED_BY(mutex_);
    bool is_view_current_ KPID_GUARDED_BY(mutex_) = false;  // its definitions are group_'s
};

}  // namespace kpid::evaluate
