#pragma once
// The alert state machine of one KPI: its conditions, per instance and severity.

#include "kpid/alerting/alert_state.h"
#include "kpid/base/clock.h"
#include "kpid/base/result.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::alerting {

/// One level of a condition in this evaluation.
struct ConditionLevel {
    std::string severity;  ///< The label's value; part of the identity.
    bool active = false;
    Duration hold{0};  ///< `for`: from the first active evaluation until it fires.
    Duration keep_firing_for{0};
};

/// One condition ("threshold", "no_data", …) of one instance.
struct ConditionInput {
    std::string condition;
    /// False: nothing is known now (stale, unsure, an error): its alerts stay exactly as they are.
    bool judged = true;
    /// The levels that are defined, from the mildest to the worst; a worse level that is active
    /// implies that the milder ones are. An alert whose level is no longer listed ends as removed.
    std::vector<ConditionLevel> levels;
};

struct InstanceInput {
    model::Labels labels;  ///< The instance's own.
    double value = 0;      ///< NaN: none.
    /// The newest sample that was judged; for what was restored after a start.
    std::optional<Timestamp> newest_sample;
    /// After a start: the polled sources answered again or their valid_for passed, so that alerts
    /// may end without a newer sample.
    bool may_end = false;
    /// Its conditions. An alert of a condition that is not listed stays as it is.
    std::vector<ConditionInput> conditions;
};

/// What an alert carries beside its identity. Attached labels never replace those of the identity.
struct AlertDetails {
    model::Labels attached;  ///< owner, goal, category, the KPI's own labels.
    std::map<std::string, std::string> annotations;
    std::string generator_url;
    KpiContext kpi;  ///< `superseded_by` is filled in by the state machine.
};

/// What is asked for the details of one alert.
struct DetailsRequest {
    model::Labels identity;  ///< alert_identity() of it.
    model::Labels instance;  ///< The instance's own labels, for `$labels`.
    std::string condition;
    std::string severity;
    AlertState state = AlertState::kPending;
    bool ending = false;  ///< The alert ends in this evaluation.
    Timestamp active_at;  ///< When its condition began to hold.
    double value = 0;
};
/// Called for each alert that is pending, firing or ending in this evaluation, within the call of
/// update().
using DetailsOf = std::function<AlertDetails(const DetailsRequest&)>;

struct ConditionUpdate {
    std::vector<InstanceInput> instances;
    /// Instances that went away: their firing alerts end as expired. One that is neither here nor
    /// in `instances` stays as it is.
    std::vector<model::Labels> expired;
    /// Instances in whose place the one that was waited for has come: their firing alerts end as
    /// resolved.
    std::vector<model::Labels> replaced;
    /// When the sample that caused this evaluation was accepted; copied into what changes.
    MonoTime cause_accepted_at{};
};

/// The labels that make an alert of a KPI this alert: `base` (alertname, kpi), the instance's
/// labels, `condition` and `severity`. Instance labels named alertname, kpi, condition, severity,
/// owner, goal or category get the prefix `exported_`.
[[nodiscard]] model::Labels alert_identity(const model::Labels& base, const model::Labels& instance,
                                           std::string_view condition, std::string_view severity);

/// Keeps pending, firing and lately ended alerts of one KPI. Not thread-safe; time is an argument.
///
/// Rules: a level's `hold` counts from its first active evaluation and begins anew after an
/// inactive one. Of a condition at most one level fires; while the worse is pending, the milder
/// keeps firing. Between firing levels the change is a supersession: the old ends as superseded,
/// naming the new one's fingerprint, and the new starts, both in one update and in this order. From
/// the worse to the milder level no second `hold` is waited for. keep_firing_for counts from the
/// first inactive evaluation; while a worse level is kept so, the milder waits. Two levels of the
/// same severity are one alert, which goes on. A level whose severity was renamed supersedes
/// itself.
///
/// After restore() a firing alert ends only once its instance was judged with `may_end`, or on a
/// sample newer than the one it was last judged on.
class ConditionAlerts {
public:
    /// `base`: alertname and kpi.
    explicit ConditionAlerts(model::Labels base);
    /// What snapshot() wrote. kDataLoss when it is damaged or of a newer version.
    [[nodiscard]] static Result<ConditionAlerts> restore(model::Labels base, std::string_view json);
    [[nodiscard]] std::string snapshot() const;

    [[nodiscard]] std::vector<Transition> update(Timestamp now, const ConditionUpdate& update,
                                                 const DetailsOf& details_of);
    /// The definition went away: everything that fires ends as removed, what is pending is
    /// forgotten.
    [[nodiscard]] std::vector<Transition> remove_all(Timestamp now);

    /// Pending and firing alerts, in order of identity.
    [[nodiscard]] std::vector<ActiveAlert> active() const;
    /// Alerts that ended at most kResolvedRetention before the last update, for re-sending.
    [[nodiscard]] std::vector<Alert> ended() const;
    /// ALERTS and ALERTS_FOR_STATE by identity at `now`, with stale markers for what is gone since
    /// the last call.
    [[nodiscard]] std::vector<model::SeriesSample> series(Timestamp now);
    /// Whether an alert or the time it began differs from the last snapshot()'s.
    [[nodiscard]] bool changed_since_snapshot() const { return dirty_; }

private:
    // One alert: waiting for its hold or for a worse level to end, or firing.
    struct Level {
        std::size_t rank = 0;  // from the mildest
        bool active = false;
        Timestamp active_since;
        bool firing = false;
        std::optional<Timestamp> inactive_since;  // firing only: keep_firing_for runs
        double value = 0;
        Alert alert;
    };
    using Levels = std::map<std::string, Level>;  // by severity
    // One condition of one instance.
    struct Track {
        Levels levels;
        bool restored = false;
        std::optional<Timestamp> judged_sample;
    };
    using Key = std::pair<model::Labels, std::string>;  // instance labels, condition
    struct Pass;

    void step(Pass& pass, const InstanceInput& instance, const ConditionInput& condition);
    void set_active(const Pass& pass, Track& track, const std::vector<ConditionLevel>& levels);
    void switch_firing(Pass& pass, const Key& key, Track& track,
                       const std::vector<ConditionLevel>& levels);
    void start(Pass& pass, Level& level, const model::Labels& identity);
    void end(Pass& pass, const Key& key, Levels::iterator level, EndReason reason,
             const std::string& superseded_by);
    void describe(const Pass& pass, const Key& key, const std::string& severity, Level& level,
                  bool ending);
    void refresh(Pass& pass, const Key& key, Track& track);
    void end_instance(Pass& pass, const model::Labels& instance, EndReason reason);
    void forget_ended(Timestamp now);

    model::Labels base_;
    std::map<Key, Track> tracks_;
    std::vector<Alert> ended_;
    VanishedSeries written_;
    mutable bool dirty_ = true;  // cleared by snapshot()
};

}  // namespace kpid::alerting
