// Appending with counters.
#include "ingest/poll_task.h"

namespace kpid::ingest {

Result<model::AppendResult> store(Environment& environment, Protocol protocol,
                                  std::span<const model::SeriesSample> samples) {
    if (samples.empty()) {
        return model::AppendResult{};
    }
    Result<model::AppendResult> result = environment.appender.append(
        {.samples = samples, .now = environment.timers.clock().wall_now()});
    if (result) {
        environment.metrics.of(protocol).count(*result);
    } else {
        environment.metrics.store_failures.Increment();
    }
    return result;
}

}  // namespace kpid::ingest
