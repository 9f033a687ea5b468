#pragma once
// What evaluation says of itself.

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace kpid::evaluate {

/// Counters exist at 0 from the start. The registry outlives this.
struct Metrics {
    explicit Metrics(prometheus::Registry& registry);

    prometheus::Histogram& evaluation_duration;
    prometheus::Counter& kpi_evaluations;
    prometheus::Counter& rule_evaluations;
    prometheus::Counter& kpi_failures;
    prometheus::Counter& rule_failures;
    prometheus::Counter& missed;
    prometheus::Counter& bounds_missing;
    prometheus::Counter& template_failures;
    prometheus::Counter& submit_failures;
    prometheus::Counter& alerts_dropped;
    prometheus::Counter& record_failures;
    prometheus::Counter& sample_triggers;
};

}  // namespace kpid::evaluate
