#pragma once
// A KPI at instants of the past, as far as samples and records tell.

#include "config/kpis.h"
#include "evaluate/context.h"
#include "kpid/kpi/condition.h"
#include "kpid/kpi/status.h"

#include <optional>
#include <stop_token>
#include <vector>

namespace kpid::evaluate {

struct PastPoint {
    Timestamp time;
    std::optional<double> value;  ///< What the KPI's expression gives there, as it is defined now.
    /// By today's definition; the bound is the one that was in force where that was recorded.
    std::optional<kpi::ResolvedCondition> target;
    std::optional<kpi::Status> status;  ///< Nothing where none was recorded.
};

struct PastInstance {
    model::Labels labels;
    std::vector<PastPoint> points;  ///< Those with a value or a status, in order of time.
};

/// start, start + step, … up to `end`. With start == end the step has no meaning.
struct PastQuery {
    Timestamp start;
    Timestamp end;
    Duration step{0};
    /// Nothing that came later counts, of values and records alike; absent: all does.
    std::optional<Timestamp> known_at = {};
    std::stop_token stop = {};
};

/// In order of labels. Values are evaluated anew, statuses and targets are what `kpid_kpi_status`
/// and `kpid_kpi_target` recorded: what was judged depends on more than the samples (hysteresis,
/// the definition of then). Blocks. Errors are those of promql::Engine.
[[nodiscard]] Result<std::vector<PastInstance>> kpi_past(const model::Reader& reader,
                                                         const Snapshot& snapshot,
                                                         const config::KpiEntry& entry,
                                                         const PastQuery& query);

}  // namespace kpid::evaluate
