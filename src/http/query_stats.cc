// Statistics of a query as JSON.
#include "http/query_stats.h"

#include "http/api_json.h"
#include "kpid/base/json_writer.h"

#include <numeric>
#include <string_view>
#include <vector>

namespace kpid::http {
namespace {

void write_steps(JsonWriter& json, std::string_view key, const std::vector<std::uint64_t>& counts,
                 const QuerySteps& steps) {
    json.key(key).begin_array();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const Timestamp time = steps.start + steps.step * static_cast<std::int64_t>(i);
        json.begin_array().raw(sample_time(time)).number(counts[i]).end_array();
    }
    json.end_array();
}

std::uint64_t sum(const std::vector<std::uint64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace

std::string query_stats_json(const QueryTimings& timings, const promql::QueryStatistics& counts,
                             const QuerySteps& steps, bool per_step) {
    const auto write_time = [](JsonWriter& json, std::string_view key, MonoTime from, MonoTime to) {
        json.key(key).number(seconds(to - from));
    };
    JsonWriter json;
    json.begin_object().key("timings").begin_object();
    write_time(json, "evalTotalTime", timings.prepared, timings.evaluated);
    json.key("resultSortTime").number(0);  // part of the evaluation
    write_time(json, "queryPreparationTime", timings.begun, timings.prepared);
    write_time(json, "innerEvalTime", timings.prepared, timings.evaluated);
    write_time(json, "execQueueTime", timings.arrived, timings.begun);
    write_time(json, "execTotalTime", timings.arrived, timings.evaluated);
    json.end_object().key("samples").begin_object();
    if (per_step) {
        write_steps(json, "totalQueryableSamplesPerStep", counts.samples_per_step, steps);
    }
    json.key("totalQueryableSamples").number(sum(counts.samples_per_step));
    if (per_step) {
        write_steps(json, "samplesReadPerStep", counts.read_per_step, steps);
    }
    json.key("samplesRead").number(sum(counts.read_per_step));
    json.key("peakSamples").number(counts.samples_peak).end_object().end_object();
    return std::move(json).take();
}

}  // namespace kpid::http
