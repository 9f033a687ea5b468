#pragma once
// What the API shows of KPIs, rules and alerts: plain values, copied out under a lock.

#include "config/config.h"
#include "kpid/alerting/alert_state.h"
#include "kpid/base/time.h"
#include "kpid/kpi/tracker.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// A KPI as it was last judged.
struct KpiView {
    std::shared_ptr<const config::Config> config;  ///< Keeps `entry` alive.
    const config::KpiEntry* entry = nullptr;       ///< Never null.
    kpi::Report report;                            ///< Empty before the first evaluation.
    Timestamp last_evaluation;                     ///< The epoch before the first.
    std::chrono::duration<double> evaluation_duration{0};
    std::string error;  ///< Of the last evaluation; empty when it went well.
    std::vector<alerting::ActiveAlert> alerts;
};

/// One rule of a Prometheus rule file, or one level of a KPI.
struct RuleView {
    bool recording = false;
    std::string name;
    std::string query;
    Duration hold{0};
    Duration keep_firing_for{0};
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> annotations;
    std::vector<alerting::ActiveAlert> alerts;
    std::string health = "unknown";  ///< "ok", "err", "unknown".
    std::string last_error;
    Timestamp last_evaluation;
    std::chrono::duration<double> evaluation_duration{0};

    /// "firing", "pending" or "inactive": the worst of its alerts.
    [[nodiscard]] std::string_view state() const;
};

/// A rule group; the KPIs of one file are one group named `kpis`.
struct RuleGroupView {
    std::string name;
    std::string file;
    Duration interval{0};
    std::size_t limit = 0;
    std::vector<RuleView> rules;
    Timestamp last_evaluation;
    std::chrono::duration<double> evaluation_duration{0};
};

}  // namespace kpid::evaluate
