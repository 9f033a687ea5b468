#pragma once
// Records kpid's own metrics and its KPIs into its own store, so that no self-scrape is needed.

#include "evaluate/evaluator.h"
#include "kpid/alerting/alert_state.h"
#include "kpid/base/log.h"
#include "kpid/model/appender.h"

#include <prometheus/registry.h>

#include <vector>

namespace kpid::app {

/// One reading after the other; not thread-safe.
class SelfRecorder {
public:
    SelfRecorder(const evaluate::Evaluator& evaluator, const prometheus::Registry& registry,
                 model::Appender& appender, Logger log)
        : evaluator_(evaluator), registry_(registry), appender_(appender), log_(std::move(log)) {}

    /// Stores all metrics at `now`, and stale markers for series that went. Blocks for the store.
    void record(Timestamp now);

private:
    const evaluate::Evaluator& evaluator_;
    const prometheus::Registry& registry_;
    model::Appender& appender_;
    const Logger log_;
    alerting::VanishedSeries written_;
};

}  // namespace kpid::app
