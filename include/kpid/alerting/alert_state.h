#pragma once
// What the alert state machines give out: transitions, lists of active alerts, and the series of
// both.

#include "kpid/alerting/alert.h"
#include "kpid/base/time.h"
#include "kpid/model/sample.h"

#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace kpid::alerting {

/// How long an ended alert is kept for re-sending, as in Prometheus.
inline constexpr Duration kResolvedRetention = std::chrono::minutes(15);
/// How long a state machine waits by default before it offers the same alert again.
inline constexpr Duration kResendDelayDefault = std::chrono::minutes(1);

enum class AlertState { kPending, kFiring };
/// "pending", "firing".
[[nodiscard]] std::string_view to_string(AlertState state);

/// An alert that is active now, as /api/v1/alerts shows it.
struct ActiveAlert {
    Alert alert;  ///< starts_at is the epoch while pending.
    AlertState state = AlertState::kPending;
    Timestamp active_at;  ///< When its condition began to hold.
    double value = 0;
};

enum class TransitionKind {
    kStarted,  ///< It fires now.
    kChanged,  ///< It goes on firing; attached labels or annotations differ.
    kEnded,    ///< It fired and has ended: Alert::ended says how.
};

struct Transition {
    TransitionKind kind = TransitionKind::kStarted;
    Alert alert;
};

/// Remembers which series were written last time, to end those that are not written any more.
class VanishedSeries {
public:
    /// Appends a stale marker at `now` for each series of the last call that is not among
    /// `current`, and remembers `current` for the next.
    void update(std::span<const model::SeriesSample> current, Timestamp now,
                std::vector<model::SeriesSample>& out);
    /// Appends a stale marker for every series remembered, and forgets them.
    void end_all(Timestamp now, std::vector<model::SeriesSample>& out);

private:
    std::set<model::Labels> previous_;
};

/// `ALERTS{<labels>, alertstate="firing"} 1` and `ALERTS_FOR_STATE{<labels>} <active_at in
/// seconds>` at `now`, appended to `out`.
void append_alert_series(const model::Labels& labels, AlertState state, Timestamp active_at,
                         Timestamp now, std::vector<model::SeriesSample>& out);

}  // namespace kpid::alerting
