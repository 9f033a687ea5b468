#pragma once
// The alert that lists an owner's KPIs which never had a value.

#include "evaluate/context.h"
#include "kpid/alerting/alert_state.h"
#include "kpid/base/mutex.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// One alert `kpis_without_value` per owner. State is stored as "evaluate/without_value/<owner>".
/// Thread-safe.
class WithoutValueAlerts {
public:
    static constexpr std::string_view kStatePrefix = "evaluate/without_value/";

    explicit WithoutValueAlerts(const Context& context) : context_(context) {}

    /// Alerts that fired before a stop: they end when their owner's KPIs have values.
    void restore();
    /// `kpi` of `owner` began or ceased to be without a value. Blocks for the hand-over.
    void set(const std::string& owner, const std::string& kpi, bool without_value, Timestamp now);
    [[nodiscard]] std::vector<alerting::ActiveAlert> active() const;

private:
    struct Entry {
        std::set<std::string> kpis;
        Timestamp since;
        bool firing = false;
    };
    [[nodiscard]] static alerting::Alert make_alert(const std::string& owner, const Entry& entry);

    const Context& context_;
    mutable Mutex mutex_;
    std::map<std::string, Entry> owners_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::evaluate
