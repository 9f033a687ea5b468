#pragma once
// What one sample of a metric means.

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace kpid::model {

enum class MetricKind : std::uint8_t {
    kGauge,    ///< A level, the newest counts. Another value at one instant is refused.
    kCounter,  ///< As a gauge; grows and starts anew.
    /// The figure of a period, at its start. Another value at one instant replaces the one before,
    /// which stays visible to who asks for what was known then.
    kTotal,
    kEvent,  ///< One thing that happened. Several at one instant are kept, in order of arrival.
};

/// From metric names to what their samples mean.
using MetricKinds = std::map<std::string, MetricKind, std::less<>>;

}  // namespace kpid::model
