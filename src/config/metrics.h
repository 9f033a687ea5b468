#pragma once
// What one sample of a metric means, as `metrics:` declares it.

#include "kpid/base/time.h"
#include "kpid/model/metric_kind.h"
#include "kpid/model/unit.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::config {

/// Calendar periods by name.
enum class Period { kHour, kDay, kWeek, kMonth, kQuarter, kHalf, kYear };
/// "hour", "day", "week", "month", "quarter", "half", "year".
[[nodiscard]] std::optional<Period> parse_period(std::string_view text);
/// The longest one of the calendar in UTC: a month has 31 days, a quarter 92, a year 366.
[[nodiscard]] Duration longest(Period period);

/// An entry of `metrics`.
struct MetricConfig {
    std::optional<model::MetricKind> kind;  ///< Absent: what its source gives, else a gauge.
    std::optional<Period> per;              ///< Of totals only.
    std::optional<model::Unit> unit;
    bool zero_when_absent = false;  ///< Of totals and events only: a sum of nothing is 0.
    bool operator==(const MetricConfig&) const = default;
};

/// By metric name.
using MetricTable = std::map<std::string, MetricConfig, std::less<>>;

/// Those that declare a kind.
[[nodiscard]] model::MetricKinds metric_kinds(const MetricTable& metrics);

}  // namespace kpid::config
