#pragma once
// What the API shows of KPIs, rules and alerts: plain values, copied out under a lock.

#include "config/config.h"
#include "kpid/alerting/alert.h"
#include "kpid/base/time.h"
#include "kpid/kpi/tracker.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// A KPI as it was last judged.
struct KpiView {
    std::shared_ptr<const config::Config> config;  ///< Keeps `entry` alive.
    const config::KpiEntry* entry = nullptr;       ///< Never null.
    kpi::Report report;                            ///< Empty before the first evaluation.
    Timestamp last_evaluation;                     ///< The epoch before the first.
    Duration evaluation_duration{0};
    std::string error;  ///< Of the last evaluation; empty when it went well.
};

enum class AlertState { kInactive, kPending, kFiring };
/// "inactive", "pending", "firing".
[[nodiscard]] std::string_view to_string(AlertState state);

/// A pending or firing alert, for /api/v1/alerts.
struct AlertView {
    alerting::Alert alert;
    AlertState state = AlertState::kPending;
    Timestamp active_at;
    double value = 0;
};

/// One rule of a Prometheus rule file, or one level of a KPI.
struct RuleView {
    bool recording = false;
    std::string name;
    std::string query;
    Duration hold{0};
    Duration keep_firing_for{0};
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<std::pair<std::string, std::string>> annotations;
    std::vector<AlertView> alerts;
    AlertState state = AlertState::kInactive;
    std::string health = "unknown";  ///< "ok", "err", "unknown".
    std::string last_error;
    Timestamp last_evaluation;
    Duration evaluation_duration{0};
};

/// A rule group; the KPIs of one file are one group named `kpis`.
struct RuleGroupView {
    std::string name;
    std::string file;
    Duration interval{0};
    std::size_t limit = 0;
    std::vector<RuleView> rules;
    Timestamp last_evaluation;
    Duration evaluation_duration{0};
};

}  // namespace kpid::evaluate
