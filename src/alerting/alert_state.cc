// Names of states, and the series that alerts are recorded as.
#include "kpid/alerting/alert_state.h"

#include <utility>

namespace kpid::alerting {

std::string_view to_string(AlertState state) {
    return state == AlertState::kPending ? "pending" : "firing";
}

void VanishedSeries::update(std::span<const model::SeriesSample> current, Timestamp now,
                            std::vector<model::SeriesSample>& out) {
    std::set<model::Labels> seen;
    for (const model::SeriesSample& sample : current) {
        seen.insert(sample.labels);
    }
    for (const model::Labels& labels : previous_) {
        if (!seen.contains(labels)) {
            out.push_back({.labels = labels, .time = now, .value = model::stale_marker()});
        }
    }
    previous_ = std::move(seen);
}

void VanishedSeries::end_all(Timestamp now, std::vector<model::SeriesSample>& out) {
    update({}, now, out);
}

void append_alert_series(const model::Labels& labels, AlertState state, Timestamp active_at,
                         Timestamp now, std::vector<model::SeriesSample>& out) {
    model::LabelsBuilder builder(labels);
    builder.set(model::kMetricName, "ALERTS_FOR_STATE");
    // Whole seconds, as Prometheus writes them.
    const std::int64_t seconds = active_at.ms() / 1000;
    model::SeriesSample for_state{
        .labels = builder.build(), .time = now, .value = static_cast<double>(seconds)};
    builder.set(model::kMetricName, "ALERTS").set("alertstate", to_string(state));
    out.push_back({.labels = builder.build(), .time = now, .value = 1});
    out.push_back(std::move(for_state));
}

}  // namespace kpid::alerting
