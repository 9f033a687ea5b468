// Registers evaluation's metrics.
#include "evaluate/metrics.h"

namespace kpid::evaluate {
namespace {

prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help,
                             const prometheus::Labels& labels = {}) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

}  // namespace

Metrics::Metrics(prometheus::Registry& registry)
    : evaluation_duration(
          prometheus::BuildHistogram()
              .Name("kpid_evaluation_duration_seconds")
              .Help("Time that one evaluation of a KPI or a rule group took.")
              .Register(registry)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.0001, 0.0003, 0.001, 0.003, 0.01,
                                                               0.03, 0.1, 0.3, 1, 3, 10})),
      kpi_evaluations(counter(registry, "kpid_evaluations_total", "Evaluations of KPIs and rules.",
                              {{"kind", "kpi"}})),
      rule_evaluations(counter(registry, "kpid_evaluations_total", "Evaluations of KPIs and rules.",
                               {{"kind", "rule"}})),
      kpi_failures(counter(registry, "kpid_evaluation_failures_total",
                           "Evaluations that ended with an error.", {{"kind", "kpi"}})),
      rule_failures(counter(registry, "kpid_evaluation_failures_total",
                            "Evaluations that ended with an error.", {{"kind", "rule"}})),
      missed(counter(
          registry, "kpid_evaluation_missed_total",
          "Evaluations by interval that were left out since a later one came before they began.")),
      bounds_missing(
          counter(registry, "kpid_evaluation_bounds_missing_total",
                  "Conditions not judged since the expression of a bound had no answer.")),
      template_failures(counter(registry, "kpid_evaluation_template_failures_total",
                                "Templates of labels and annotations that failed.")),
      submit_failures(
          counter(registry, "kpid_evaluation_submit_failures_total",
                  "Alerts that could not be handed over for delivery and are handed over again.")),
      alerts_dropped(counter(registry, "kpid_evaluation_alerts_dropped_total",
                             "Alerts given up since too many waited to be handed over.")),
      record_failures(counter(registry, "kpid_evaluation_record_failures_total",
                              "Recorded samples that could not be stored.")),
      sample_triggers(counter(registry, "kpid_evaluation_sample_triggers_total",
                              "Evaluations asked for by a sample.")) {
}

}  // namespace kpid::evaluate
