// From metric families to stored samples.
#include "app/self_recorder.h"

#include "evaluate/kpi_families.h"
#include "http/metrics_page.h"

#include <limits>

namespace kpid::app {
namespace {

void append_samples(const std::vector<wire::MetricFamily>& families, Timestamp now,
                    std::vector<model::SeriesSample>& samples) {
    for (const wire::MetricFamily& family : families) {
        for (const wire::EncodedSample& sample : family.samples) {
            samples.push_back({sample.labels.with(model::kMetricName, family.name + sample.suffix),
                               now, sample.value});
        }
    }
}

}  // namespace

void SelfRecorder::record(Timestamp now) {
    std::vector<model::SeriesSample> samples;
    append_samples(http::registry_families(registry_), now, samples);
    append_samples(
        evaluate::kpi_families(evaluator_.kpis(), std::numeric_limits<std::size_t>::max()), now,
        samples);
    std::vector<model::SeriesSample> gone;
    written_.update(samples, now, gone);
    samples.insert(samples.end(), gone.begin(), gone.end());
    const Result<model::AppendResult> stored = appender_.append(
        {.samples = samples, .origin = model::AppendOrigin::kRecorded, .now = now});
    if (!stored) {
        log_.warn("kpid's own metrics were not stored", {{"error", stored.error().message}});
    }
}

}  // namespace kpid::app
