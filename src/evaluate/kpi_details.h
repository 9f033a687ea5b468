#pragma once
// What a KPI's alert carries: attached labels, rendered annotations, the KPI's context.

#include "evaluate/context.h"
#include "kpid/alerting/condition_state.h"
#include "kpid/kpi/tracker.h"

namespace kpid::evaluate {

/// The details of one alert of `entry`; `report` has the instance.
[[nodiscard]] alerting::AlertDetails kpi_alert_details(
    const Context& context, const Snapshot& snapshot, const config::KpiEntry& entry,
    const kpi::Report& report, const alerting::DetailsRequest& request, Timestamp now);

}  // namespace kpid::evaluate
