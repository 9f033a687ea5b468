#pragma once
// KPIs as metric families: for /metrics and for the store.

#include "evaluate/views.h"
#include "kpid/wire/text_encoder.h"

#include <vector>

namespace kpid::evaluate {

/// kpid_kpi_value, _target, _threshold, _status, _last_sample_timestamp_seconds per instance and
/// kpid_kpi_info, kpid_goal_info. A KPI without instances has one status, without labels of its
/// own. At most `instances_max` instances of a KPI are shown, the worst; the rest are counted in
/// kpid_kpi_instances_hidden.
[[nodiscard]] std::vector<wire::MetricFamily> kpi_families(const std::vector<KpiView>& kpis,
                                                           std::size_t instances_max);

/// The instance that a stored series of these families is about.
[[nodiscard]] model::Labels instance_of_series(const model::Labels& series);

}  // namespace kpid::evaluate
