#pragma once
// The memory of one KPI: from evaluation to evaluation it judges each instance.

#include "kpid/base/result.h"
#include "kpid/kpi/levels.h"
#include "kpid/kpi/status.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::kpi {

/// What the queries answered for one instance.
struct InstanceValue {
    model::Labels labels;  ///< Without __name__; unique within an Evaluation.
    double value = 0;      ///< NaN is no value.
    /// The answer of Definition::bound_exprs[i] for this instance; nothing or a missing entry: no
    /// answer.
    std::vector<std::optional<double>> bounds;
    /// The answer of Definition::require for this instance; nothing is too little. Not read without
    /// require.
    std::optional<double> require;
    /// The newest sample behind the value, when known.
    std::optional<Timestamp> newest_sample;
};

/// One evaluation's input.
struct Evaluation {
    std::vector<InstanceValue> instances;
    /// Set: the evaluation failed; `instances` is not read and no status changes.
    std::optional<std::string> error;
    /// How long a sample of this KPI's sources holds; the default of no_data.after is three times
    /// this.
    Duration valid_for = std::chrono::minutes(5);
};

/// A condition that is to alert, for the alert state machine. The level says how bad, not what its
/// severity is called.
struct ActiveCondition {
    std::string condition;            ///< "threshold" or "no_data".
    Status level = Status::kWarning;  ///< kWarning or kCritical; of no_data: after its severity.
    std::string severity;
    double value = 0;  ///< NaN for no_data.
    bool operator==(const ActiveCondition&) const = default;
};

struct InstanceReport {
    model::Labels labels;
    std::optional<double> value;  ///< The current one; nothing when there is none now.
    /// The conditions in force; nothing: none is defined, or a bound has no answer. While there is
    /// no value these are those of the last one; where bounds are numbers, the defined ones always.
    std::optional<ResolvedCondition> target;
    std::optional<ResolvedCondition> warning;
    std::optional<ResolvedCondition> critical;
    Status status = Status::kNoData;
    Status previous =
        Status::kNoData;   ///< The one before the last change; `status` when there was none.
    Timestamp since;       ///< When `status` began.
    bool changed = false;  ///< The status changed in this evaluation (a new instance: yes).
    std::optional<Timestamp> last_sample;  ///< The newest sample ever seen behind a value.
    /// The levels that define its alerts now: hold, keep_firing_for and severities.
    EffectiveLevels levels;
    /// Whether thresholds were judged in this evaluation: when not (stale, unsure, no data, an
    /// error), its threshold alerts stay as they are.
    bool judged = false;
    /// Warning is active with critical too (when warning is defined), so that its time is served.
    std::vector<ActiveCondition> active;
};

struct Report {
    std::vector<InstanceReport> instances;  ///< In order of labels.
    Status status = Status::kNoData;  ///< The worst of the instances; kNoData when there is none.
    Timestamp since;                  ///< When `status` began.
    std::vector<model::Labels> expired;  ///< Instances that ended in this evaluation.
    /// Instances that `expect` named and in whose place one with these labels and more has come.
    std::vector<model::Labels> replaced;
    /// The KPI never had a value, for `after` since it was loaded: it belongs into the owner's list
    /// "kpis_without_value".
    bool without_value = false;
    std::size_t hidden = 0;          ///< Instances beyond the limit.
    std::size_t bounds_missing = 0;  ///< Conditions not judged since a bound had no answer.
    bool failed = false;  ///< The evaluation had an error; all the rest is as it was before.
};

/// Judges one KPI. Not thread-safe; holds no reference to what it is given.
///
/// Each instance: `critical` is looked at first, then `warning`, then `target`. A level is entered
/// when its condition holds and left when its `recover` holds, else when its condition no longer
/// does; a level whose condition cannot be judged counts as not entered. Statuses change at once.
///
/// Without a value an instance is stale, and after `no_data.after` (from its last value on) it
/// takes no_data.status. Its threshold alerts stay as they are, but end with `status: ok`. After a
/// start no instance is declared without data before its sources had valid_for time to answer. A
/// named instance is forgotten after forget_instance_after, unless `expect` names it; the one
/// without labels is the KPI itself and is forgotten only when other instances have values.
/// Instances that `expect` names and that never came are shown as no_data; their alert waits for
/// `after` since the KPI was loaded, and is left to `without_value` while the whole KPI never had
/// one.
///
/// Beyond the limit the worst are kept (among equals those known already, then in order of labels).
class Tracker {
public:
    /// A KPI that is loaded for the first time.
    explicit Tracker(Timestamp loaded_at);
    /// What snapshot() wrote, after a start at `now`. kDataLoss when it is damaged or of a newer
    /// version.
    [[nodiscard]] static Result<Tracker> restore(std::string_view json, Timestamp now);
    /// JSON text. Values and the times of the last values are as of this call: write it also at a
    /// stop.
    [[nodiscard]] std::string snapshot() const;

    /// Judges. `definition` may differ from the last call's (a reload): memory stays, the new one
    /// judges at once. `now` must not go back; an earlier one is taken as the last.
    [[nodiscard]] Report evaluate(const Definition& definition, Timestamp now,
                                  const Evaluation& evaluation);
    /// Whether anything that snapshot() holds changed in substance since the last snapshot: a
    /// status, an instance, a hysteresis flag (not: values and times of values).
    [[nodiscard]] bool changed_since_snapshot() const { return dirty_; }

private:
    // Everything known of one instance. The first group is kept over a restart.
    struct Instance {
        Status status = Status::kNoData;
        Status previous = Status::kNoData;
        Timestamp since;
        Status last_judged = Status::kNoData;  // the newest status that a value gave
        bool warning_entered = false;
        bool critical_entered = false;
        bool silent = false;  // declared to be without data
        std::optional<double> value;
        std::optional<Timestamp> last_value_at;  // nothing: expected, never came
        std::optional<Timestamp> last_sample;

        std::optional<ResolvedCondition> target;
        std::optional<ResolvedCondition> warning;
        std::optional<ResolvedCondition> critical;
        // Of the newest evaluation only.
        EffectiveLevels levels;
        bool has_value = false;
        bool judged = false;
        bool changed = false;
        bool added = false;
    };
    using Instances = std::map<model::Labels, Instance>;
    struct Pass;  // the arguments of one evaluate() call and what it counts

    Instance& instance_of(const model::Labels& labels, const Pass& pass);
    void judge(Pass& pass, const InstanceValue& given);
    void judge_levels(Pass& pass, Instance& instance, const InstanceValue& given);
    void set_levels(const Definition& definition, const model::Labels& labels, Instance& instance);
    void judge_missing(Pass& pass, Instance& instance);
    void declare_silent(const Pass& pass, Instance& instance);
    void add_expected(Pass& pass);
    void forget(Pass& pass);
    void apply_limit(Pass& pass);
    void update_without_value(const Pass& pass);
    void set_status(const Pass& pass, Instance& instance, Status status);
    [[nodiscard]] bool started_before(Timestamp now, Duration patience) const;
    [[nodiscard]] InstanceReport describe(const Definition& definition, const model::Labels& labels,
                                          const Instance& instance) const;
    [[nodiscard]] Report report(const Pass& pass);

    Timestamp loaded_at_;   // when the KPI was first loaded
    Timestamp started_at_;  // when this process began to track it
    Timestamp last_now_ = Timestamp::min();
    bool ever_had_value_ = false;
    bool without_value_ = false;
    mutable bool dirty_ = true;  // cleared by snapshot()
    Status status_ = Status::kNoData;
    Timestamp since_;
    Instances instances_;
};

}  // namespace kpid::kpi
