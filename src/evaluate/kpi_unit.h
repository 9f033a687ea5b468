#pragma once
// One KPI: its query, its judgement, its alerts.

#include "evaluate/context.h"
#include "evaluate/unit.h"
#include "evaluate/value_input.h"
#include "evaluate/views.h"
#include "kpid/alerting/condition_state.h"
#include "kpid/base/mutex.h"
#include "kpid/kpi/tracker.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace kpid::evaluate {

/// Judges one KPI at each evaluation and hands its alerts over.
///
/// Operation: query, judge (kpi::Tracker), move the alerts' state machine
/// (alerting::ConditionAlerts), then hand over the transitions and the changed state in one atomic
/// write, then record ALERTS. When the hand-over fails all active and lately ended alerts are
/// handed over again with the next evaluation. Concurrency: evaluate() is exclusive (the
/// Scheduler's promise); set(), remove() and view() may be called from any thread at any time.
class KpiUnit final : public Unit {
public:
    /// Called after an evaluation when the KPI began or ceased to be without any value.
    using OnWithoutValue = std::function<void(const std::string& kpi, bool without_value)>;

    KpiUnit(const Context& context, std::string id, Snapshot snapshot,
            OnWithoutValue on_without_value);

    /// Takes up what was stored for this KPI before a stop. Damaged state is logged and begun anew.
    void restore();
    /// The definition of a new configuration; state stays.
    void set(Snapshot snapshot);
    /// The next evaluation is the last: alerts end as removed, the stored state is erased.
    void remove();

    [[nodiscard]] const std::string& name() const override { return id_; }
    [[nodiscard]] Duration interval() const override;
    void evaluate(Timestamp now, MonoTime cause_accepted_at) override;

    [[nodiscard]] KpiView view() const;

    /// The keys of a KPI's stored state.
    [[nodiscard]] static std::string tracker_key(const std::string& id);
    [[nodiscard]] static std::string alerts_key(const std::string& id);
    static constexpr std::string_view kStatePrefix = "evaluate/kpi/";

private:
    void evaluate_removal(Timestamp now);
    [[nodiscard]] alerting::ConditionUpdate condition_update(const kpi::Report& report,
                                                             const Inputs& inputs, Timestamp now,
                                                             MonoTime cause) const;
    [[nodiscard]] bool may_end(const Inputs& inputs, Timestamp now) const;
    void hand_over(Timestamp now, const std::vector<alerting::Transition>& transitions);
    void publish(const kpi::Report& report, const std::string& error, Timestamp now,
                 MonoTime started);

    // Constant after construction.
    const Context& context_;
    const std::string id_;
    const OnWithoutValue on_without_value_;

    // Touched by evaluate() only.
    kpi::Tracker tracker_;
    alerting::ConditionAlerts alerts_;
    Snapshot current_;                         // of the running evaluation
    const config::KpiEntry* entry_ = nullptr;  // in current_
    bool hand_over_all_ = true;
    bool without_value_ = false;

    mutable Mutex mutex_;
    Snapshot snapshot_ KPID_GUARDED_BY(mutex_);
    bool removed_ KPID_GUARDED_BY(mutex_) = false;
    KpiView view_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::evaluate
