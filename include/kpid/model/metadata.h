#pragma once
// What a metric is: its type, help and unit, as exposition formats state it.

#include <string>
#include <string_view>

namespace kpid::model {

enum class MetricType {
    kUnknown,
    kCounter,
    kGauge,
    kHistogram,
    kGaugeHistogram,
    kSummary,
    kInfo,
    kStateset,
};
/// OpenMetrics' word: "counter", "gaugehistogram", …
[[nodiscard]] std::string_view to_string(MetricType type);

struct MetricMetadata {
    std::string family;  ///< The name behind TYPE.
    MetricType type = MetricType::kUnknown;
    std::string help;
    std::string unit;
};

}  // namespace kpid::model
