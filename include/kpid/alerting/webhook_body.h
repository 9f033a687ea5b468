#pragma once
// The body of a webhook: Alertmanager's JSON, version "4", with a KPI's context beside each of its
// alerts.

#include "kpid/alerting/dispatcher.h"
#include "kpid/model/labels.h"

#include <cstddef>
#include <string>

namespace kpid::alerting {

struct WebhookContext {
    std::string receiver;  ///< Empty: the notification's.
    std::string external_url;
    model::Labels external_labels;  ///< Added to alerts that do not have them.
    std::size_t max_alerts = 0;     ///< 0 is no bound; the rest is counted in truncatedAlerts.
};

/// The JSON text. Keys stand in Alertmanager's order; an alert of a KPI has one more key, `kpi`:
/// {id, title, owner, value, target, unit, status, since, goal, runbook, ended, superseded_by},
/// absent texts null.
[[nodiscard]] std::string webhook_body(const GroupNotification& notification,
                                       const WebhookContext& context);

}  // namespace kpid::alerting
