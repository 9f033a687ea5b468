// Recording what evaluation found out.
#include "evaluate/context.h"

namespace kpid::evaluate {

void record(const Context& context, std::span<const model::SeriesSample> samples) {
    if (samples.empty()) {
        return;
    }
    const Result<model::AppendResult> result =
        context.appender.append({.samples = samples,
                                 .origin = model::AppendOrigin::kRecorded,
                                 .now = context.clock.wall_now()});
    if (!result) {
        context.metrics.record_failures.Increment(static_cast<double>(samples.size()));
        context.log.warn("recorded samples were not stored", {{"error", result.error().message}});
        return;
    }
    if (!result->rejected.empty()) {
        context.metrics.record_failures.Increment(static_cast<double>(result->rejected.size()));
        context.log.debug("recorded samples were refused",
                          {{"first", result->rejected.front().message}});
    }
}

}  // namespace kpid::evaluate
