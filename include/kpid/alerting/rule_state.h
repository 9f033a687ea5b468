#pragma once
// The state machines of Prometheus rules: an alerting rule's alerts and a recording rule's series.

#include "kpid/alerting/alert_state.h"
#include "kpid/base/clock.h"
#include "kpid/base/result.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::alerting {

/// One element of the vector that a rule's expression gave.
struct RuleValue {
    model::Labels labels;  ///< With the metric's name where there is one.
    double value = 0;
};

/// An alerting rule as its file defines it. The expression is not of interest here.
struct AlertingRule {
    std::string name;
    Duration hold{0};  ///< `for`.
    Duration keep_firing_for{0};
    std::vector<std::pair<std::string, std::string>> labels;       ///< Values are templates.
    std::vector<std::pair<std::string, std::string>> annotations;  ///< Values are templates.
    std::size_t limit =
        0;  ///< Of the group: more pending and firing alerts are an error; 0 is no bound.
    std::string generator_url;
};

/// Expands one template for one element; `labels` is the element's whole label set. What went wrong
/// in a template stands in the text, as in Prometheus.
using ExpandTemplate =
    std::function<std::string(std::string_view text, const model::Labels& labels, double value)>;

struct RuleUpdate {
    std::vector<Transition> transitions;
    /// ALERTS and ALERTS_FOR_STATE with stale markers for series that went: to be appended. Empty
    /// until the state of `for` is restored, see RuleState::restore_for_state().
    std::vector<model::SeriesSample> samples;
    /// Beyond the limit: all alerts are dropped, as Prometheus does; what fired has ended in
    /// `transitions`.
    std::optional<Error> error;
};

/// One stored series of ALERTS_FOR_STATE: its newest sample within the outage tolerance.
struct StoredForState {
    model::Labels labels;  ///< With or without __name__.
    Timestamp time;        ///< When it was last written: the outage began then.
    double value = 0;      ///< active_at in seconds since the epoch.
};

/// How far a stored `for` state is trusted, as Prometheus' flags say.
struct ForRestoreOptions {
    Duration outage_tolerance = std::chrono::hours(1);  ///< rules.alert.for-outage-tolerance.
    Duration grace_period = std::chrono::minutes(10);   ///< rules.alert.for-grace-period.
};

/// The alerts of one alerting rule. Not thread-safe; time is an argument. Semantics are
/// Prometheus': an element's labels without __name__, then the rule's, then alertname make the
/// alert; it is pending until `hold` has passed since it became active, then fires; when it
/// vanishes it ends, after keep_firing_for; ended alerts are kept kResolvedRetention for
/// re-sending.
class RuleState {
public:
    /// `for_state_pending`: the samples of ALERTS are held back until restore_for_state() was
    /// called, since they would overwrite what is to be restored; false when there is nothing to
    /// restore.
    explicit RuleState(bool for_state_pending = false) : for_state_pending_(for_state_pending) {}
    /// What snapshot() wrote; `for_state_pending` as above. kDataLoss when it is damaged or of a
    /// newer version.
    [[nodiscard]] static Result<RuleState> restore(std::string_view json,
                                                   bool for_state_pending = false);
    /// Firing and ended alerts. Those that wait begin anew after a start, but for what
    /// restore_for_state() gives back.
    [[nodiscard]] std::string snapshot() const;

    /// One evaluation. `may_end` false: alerts that were restored and vanished stay as they are
    /// (after a start, until the sources answered). An error, kUnprocessable, when two elements
    /// have the same labels after the rule's were applied: nothing changed then. For the limit see
    /// RuleUpdate::error.
    [[nodiscard]] Result<RuleUpdate> update(Timestamp now, const AlertingRule& rule,
                                            std::span<const RuleValue> vector,
                                            const ExpandTemplate& expand,
                                            MonoTime cause_accepted_at = {}, bool may_end = true);
    /// The rule went away: what fires ends as removed; stale markers for its series.
    [[nodiscard]] RuleUpdate remove_all(Timestamp now);

    /// Restores `active_at` of pending alerts from what was stored before a stop; to be called
    /// once, after the second update(): at the first, sources may not have answered yet. Rules with
    /// `hold` below the grace period need nothing restored and only begin to write. An alert that
    /// had served its time fires at the next update; one with less than the grace period left waits
    /// the grace period; any other does not count the outage.
    void restore_for_state(Timestamp now, Duration hold, std::span<const StoredForState> stored,
                           const ForRestoreOptions& options = {});
    [[nodiscard]] bool for_state_pending() const { return for_state_pending_; }

    /// Pending and firing alerts, in order of labels.
    [[nodiscard]] std::vector<ActiveAlert> active() const;
    /// Alerts that ended within kResolvedRetention.
    [[nodiscard]] std::vector<Alert> ended() const;
    /// Alerts to hand to an Alertmanager now: firing or ended, never sent, changed to ended since,
    /// or last sent more than `resend_delay` before. Counts them as sent at `now`.
    [[nodiscard]] std::vector<Alert> due_for_sending(Timestamp now,
                                                     Duration resend_delay = kResendDelayDefault);
    [[nodiscard]] bool changed_since_snapshot() const { return dirty_; }
    /// Whether an alert fires that was restored and not seen since: only then `may_end` matters.
    [[nodiscard]] bool has_restored() const;

private:
    enum class Phase { kPending, kFiring, kEnded };
    struct Entry {
        Phase phase = Phase::kPending;
        Timestamp active_at;
        std::optional<Timestamp> keep_firing_since;
        std::optional<Timestamp> last_sent_at;
        bool restored = false;
        double value = 0;
        Alert alert;
    };
    using Entries = std::map<model::Labels, Entry>;
    struct Pass;

    void take(Pass& pass, Entries fresh);
    void step_present(Pass& pass, Entry& entry);
    [[nodiscard]] bool step_absent(Pass& pass, Entry& entry);
    [[nodiscard]] std::vector<Transition> clear(Timestamp now, EndReason reason);

    bool for_state_pending_ = false;
    mutable bool dirty_ = true;  // cleared by snapshot()
    Entries entries_;
    VanishedSeries written_;
};

/// A recording rule as its file defines it.
struct RecordingRule {
    std::string name;  ///< `record`.
    std::vector<std::pair<std::string, std::string>>
        labels;             ///< Not templates; an empty value drops.
    std::size_t limit = 0;  ///< Of the group; 0 is no bound.
};

/// What a recording rule writes, with stale markers for its series that vanished. Not thread-safe.
class RecordingState {
public:
    /// Errors as in RuleState::update(): "vector contains metrics with the same labelset after
    /// applying rule labels"; beyond the limit; nothing is written then.
    [[nodiscard]] Result<std::vector<model::SeriesSample>> update(
        Timestamp now, const RecordingRule& rule, std::span<const RuleValue> vector);
    /// The rule went away: stale markers for all of its series.
    [[nodiscard]] std::vector<model::SeriesSample> remove_all(Timestamp now);

private:
    VanishedSeries written_;
};

}  // namespace kpid::alerting
