// Appending with counters.
#include "ingest/poll_task.h"

#include <fmt/format.h>

#include <map>
#include <string>

namespace kpid::ingest {

Result<model::AppendResult> store(Environment& environment, Protocol protocol,
                                  std::span<const model::SeriesSample> samples,
                                  const StoreOptions& options) {
    if (samples.empty()) {
        return model::AppendResult{};
    }
    Result<model::AppendResult> result =
        environment.appender.append({.samples = samples,
                                     .handles = options.handles,
                                     .now = environment.timers.clock().wall_now(),
                                     .kind = options.kind,
                                     .out_of_order_window = options.out_of_order_window});
    if (result) {
        environment.metrics.of(protocol).count(*result);
    } else {
        environment.metrics.store_failures.Increment();
    }
    return result;
}

void PollTask::tell_refusals(std::string_view source, const model::AppendResult& stored,
                             std::span<const model::SeriesSample> samples, Refusals& before) {
    std::map<model::RejectReason, std::size_t> counts;
    const model::Rejection* first = nullptr;
    for (const model::Rejection& rejection : stored.rejected) {
        if (rejection.reason != model::RejectReason::kReserved) {
            first = first == nullptr ? &rejection : first;
            ++counts[rejection.reason];
        }
    }
    Refusals reasons;
    std::string counted;
    bool is_news = false;
    for (const auto& [reason, count] : counts) {
        reasons.insert(reason);
        is_news = is_news || !before.contains(reason);
        counted +=
            fmt::format("{}{} {}", counted.empty() ? "" : ", ", count, model::to_string(reason));
    }
    before = std::move(reasons);
    if (is_news) {
        environment_.log.warn("samples of a source were dropped",
                              {{"source", std::string(source)},
                               {"dropped", counted},
                               {"first", samples[first->index].labels.to_string()},
                               {"error", first->message}});
    }
}

}  // namespace kpid::ingest
