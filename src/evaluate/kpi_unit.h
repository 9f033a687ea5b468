#pragma once
// One KPI: its query, its judgement, its alerts.

#include "evaluate/context.h"
#include "evaluate/outgoing.h"
#include "evaluate/unit.h"
#include "evaluate/value_input.h"
#include "evaluate/views.h"
#include "evaluate/without_value.h"
#include "kpid/alerting/condition_state.h"
#include "kpid/base/mutex.h"
#include "kpid/kpi/tracker.h"

#include <memory>
#include <optional>
#include <string>

namespace kpid::evaluate {

/// Judges one KPI at each evaluation and hands its alerts over.
///
/// Operation: query, judge (kpi::Tracker), move the alerts' state machine
/// (alerting::ConditionAlerts), then hand over the transitions and the changed state in one atomic
/// write, then record ALERTS. What could not be handed over is handed over again with the next
/// evaluation; the first one hands over all that is active. The tracker's state is written when it
/// changed, and every kSaveEvery for its times. Concurrency: evaluate() is exclusive (the
/// Scheduler's promise); set(), remove() and view() may be called from any thread at any time.
class KpiUnit final : public Unit {
public:
    static constexpr Duration kSaveEvery = std::chrono::minutes(5);

    /// All are borrowed and outlive it.
    KpiUnit(const Context& context, WithoutValueAlerts& without_value, std::string id,
            Snapshot snapshot);

    /// Takes up what was stored for this KPI, before its first evaluation. Damaged state is logged
    /// and begun anew.
    void restore();
    /// The definition of a new configuration; state stays, unless the value is another. Undoes
    /// remove().
    void set(Snapshot snapshot);
    /// The following evaluation ends its alerts as removed and erases the stored state; it is
    /// repeated until that could be handed over.
    void remove();

    [[nodiscard]] const std::string& name() const override { return id_; }
    [[nodiscard]] Duration interval() const override;
    void evaluate(Timestamp now, MonoTime cause_accepted_at) override;
    [[nodiscard]] bool gone() const override;

    [[nodiscard]] KpiView view() const;

    /// The keys of a KPI's stored state.
    [[nodiscard]] static std::string tracker_key(const std::string& id);
    [[nodiscard]] static std::string alerts_key(const std::string& id);
    [[nodiscard]] static std::string value_key(const std::string& id);
    static constexpr std::string_view kStatePrefix = "evaluate/kpi/";

private:
    void take_up_value(Timestamp now);
    [[nodiscard]] Duration valid_for(const Inputs& inputs);
    void evaluate_removal(Timestamp now);
    [[nodiscard]] alerting::ConditionUpdate condition_update(const kpi::Report& report,
                                                             const Inputs& inputs, Timestamp now,
                                                             MonoTime cause) const;
    void hand_over(Timestamp now, const std::vector<alerting::Transition>& transitions);
    void record_alerts(Timestamp now);
    [[nodiscard]] bool update_list(const std::string& owner, alerting::EndReason reason,
                                   Timestamp now);
    void publish(const kpi::Report& report, const std::string& error, Timestamp now,
                 MonoTime started);

    // Constant after construction.
    const Context& context_;
    const std::string id_;

    WithoutValueAlerts& without_value_;  // Synchronises itself.

    // Touched by evaluate() only, and by restore() before it.
    kpi::Tracker tracker_;
    alerting::ConditionAlerts alerts_;
    Outgoing outgoing_;
    std::optional<std::string> judged_value_;       // what the state is about, as PromQL prints it
    Snapshot current_;                              // of the running evaluation
    const config::KpiEntry* entry_ = nullptr;       // in current_
    std::optional<KpiQueries> queries_;             // of entry_
    std::shared_ptr<const promql::Engine> engine_;  // that queries_ are for
    std::shared_ptr<const config::ValidForRules> rules_;  // that seen_valid_for_ is by
    std::optional<Duration> seen_valid_for_;              // of what the value last read
    bool first_hand_over_ = true;
    Timestamp saved_at_;
    Timestamp recorded_at_;
    std::string listed_owner_;  // whose list of KPIs without a value has it; empty: none

    mutable Mutex mutex_;
    Snapshot snapshot_ KPID_GUARDED_BY(mutex_);
    bool removed_ KPID_GUARDED_BY(mutex_) = false;
    bool ended_ KPID_GUARDED_BY(mutex_) = false;  // its removal is handed over
    KpiView view_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::evaluate
