// StatsD: nothing crashes, events are well formed, and the aggregation of them has no series twice.

#include "kpid/base/assert.h"
#include "kpid/wire/statsd_aggregator.h"

#include <cmath>
#include <cstdint>
#include <string_view>
#include <unordered_set>

using namespace kpid::wire;

namespace {

void check(std::string_view text, StatsdDialect dialect) {
    const StatsdPacket packet = parse_statsd(text, dialect);
    StatsdAggregator aggregator;
    for (const StatsdEvent& event : packet.events) {
        KPID_ASSERT(!event.name.empty());
        KPID_ASSERT(std::isfinite(event.value));
        KPID_ASSERT(event.sample_rate > 0);
        aggregator.add(event);
    }
    std::unordered_set<kpid::model::Labels, kpid::model::LabelsHash> seen;
    const kpid::Timestamp now(253402300800000);  // behind every time that an event may carry
    for (const auto& sample : aggregator.flush(now)) {
        KPID_ASSERT(kpid::model::is_classic_metric_name(sample.labels.metric_name()));
        if (sample.time == now) {
            KPID_ASSERT(seen.insert(sample.labels).second);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(text, StatsdDialect::kEtsy);
    check(text, StatsdDialect::kDogstatsd);
    return 0;
}
