#pragma once
// The alert that lists an owner's KPIs which never had a value.

#include "evaluate/context.h"
#include "kpid/alerting/alert_state.h"
#include "kpid/base/mutex.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// One alert `kpis_without_value` per owner. A new list waits until one of its KPIs was evaluated
/// again (tell()), so that those which were loaded together stand in the first message. Stored as
/// "evaluate/without_value/<owner>": a line with the time it began in milliseconds, then one line a
/// KPI. Thread-safe.
class WithoutValueAlerts {
public:
    static constexpr std::string_view kStatePrefix = "evaluate/without_value/";

    explicit WithoutValueAlerts(const Context& context) : context_(context) {}

    /// Takes up the lists from before a stop.
    void restore();
    /// The owner in whose list the KPI stands; empty: in none.
    [[nodiscard]] std::string owner_of(const std::string& kpi) const;
    /// Puts the KPI into the owner's list. False when that could not be handed over: nothing
    /// changed. Blocks.
    [[nodiscard]] bool add(const std::string& owner, const std::string& kpi, Timestamp now);
    /// Hands the owner's list over when it waits for that since `hold` or longer, or was restored.
    /// A failure is logged; the next call tries again. Blocks.
    void tell(const std::string& owner, Timestamp now, Duration hold);
    /// Takes it off the list; the last one ends the alert with `reason`. False and blocking as
    /// add().
    [[nodiscard]] bool remove(const std::string& owner, const std::string& kpi,
                              alerting::EndReason reason, Timestamp now);
    /// Takes all KPIs off the lists that are not defined any more.
    void keep_only(const std::function<bool(const std::string& kpi)>& defined, Timestamp now);
    [[nodiscard]] std::vector<alerting::ActiveAlert> active() const;

private:
    struct List {
        std::set<std::string> kpis;  // never empty but in the alert's end
        Timestamp since;
        bool told = false;      // also before a stop
        bool restored = false;  // and not handed over again since
    };
    [[nodiscard]] static alerting::Alert make_alert(const std::string& owner, const List& list);
    /// Hands the list over in place of the one that stands.
    [[nodiscard]] bool replace(const std::string& owner, const List& list,
                               alerting::EndReason reason, Timestamp now) KPID_REQUIRES(mutex_);

    const Context& context_;
    mutable Mutex mutex_;
    std::map<std::string, List> lists_ KPID_GUARDED_BY(mutex_);  // by owner
};

}  // namespace kpid::evaluate
