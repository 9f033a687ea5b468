// Names of periods, their lengths, and the table of kinds.

#include "config/metrics.h"

#include <array>

namespace kpid::config {
namespace {

struct KnownPeriod {
    std::string_view name;
    Period period;
    Duration longest;
};
constexpr Duration days(int count) {
    return std::chrono::hours(24 * count);
}
constexpr std::array<KnownPeriod, 7> kPeriods{{{"hour", Period::kHour, std::chrono::hours(1)},
                                               {"day", Period::kDay, days(1)},
                                               {"week", Period::kWeek, days(7)},
                                               {"month", Period::kMonth, days(31)},
                                               {"quarter", Period::kQuarter, days(92)},
                                               {"half", Period::kHalf, days(184)},
                                               {"year", Period::kYear, days(366)}}};

}  // namespace

std::optional<Period> parse_period(std::string_view text) {
    for (const KnownPeriod& known : kPeriods) {
        if (known.name == text) {
            return known.period;
        }
    }
    return std::nullopt;
}

Duration longest(Period period) {
    return kPeriods[static_cast<std::size_t>(period)].longest;
}

model::MetricKinds metric_kinds(const MetricTable& metrics) {
    model::MetricKinds kinds;
    for (const auto& [name, metric] : metrics) {
        if (metric.kind) {
            kinds.emplace(name, *metric.kind);
        }
    }
    return kinds;
}

}  // namespace kpid::config
