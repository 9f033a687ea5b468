#pragma once
// An alert as it travels from its state machine through routes and groups to a receiver.

#include "kpid/base/clock.h"
#include "kpid/model/labels.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace kpid::alerting {

/// How an alert ended; kNone while it fires.
enum class EndReason { kNone, kResolved, kSuperseded, kRemoved, kExpired };
/// "", "resolved", "superseded", "removed", "expired".
[[nodiscard]] std::string_view to_string(EndReason reason);

/// What a webhook says about the KPI behind an alert.
struct KpiContext {
    std::string id;
    std::string title;
    std::string owner;
    std::optional<double> value;  ///< In base units; nothing when there is none.
    std::string target_json;      ///< The condition in force, `{"at_least":0.2}`, or "null".
    std::string unit;             ///< Short name.
    std::string status;
    Timestamp since;
    std::string goal;
    std::string runbook;
    std::string superseded_by;  ///< Fingerprint of the alert that took over, when superseded.
};

/// A firing or ended alert. A plain value.
struct Alert {
    /// What makes it this alert: for KPIs (alertname, kpi, condition, severity, instance
    /// labels); for rule files all labels.
    model::Labels identity;
    /// Identity and attached labels: what routes, silences and receivers see.
    model::Labels labels;
    std::map<std::string, std::string> annotations;
    Timestamp starts_at;
    Timestamp ends_at;  ///< Meaningful when ended != kNone.
    EndReason ended = EndReason::kNone;
    std::string generator_url;
    std::optional<KpiContext> kpi;
    /// When the sample that caused the last change was accepted. The epoch: unknown.
    MonoTime cause_accepted_at{};

    [[nodiscard]] bool firing() const { return ended == EndReason::kNone; }
    /// Of the identity, as Alertmanager does: FNV-1a 64 over name 0xff value 0xff, 16 hex digits.
    [[nodiscard]] std::string fingerprint() const;
};

/// The fingerprint of any label set.
[[nodiscard]] std::string fingerprint(const model::Labels& labels);

}  // namespace kpid::alerting
