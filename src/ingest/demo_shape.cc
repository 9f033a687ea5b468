// The demo's curves in closed form.
#include "ingest/demo_shape.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace kpid::ingest {
namespace {

struct Corner {
    double second;
    double severity;
};
constexpr std::array<Corner, 6> kCorners{{{0, 0}, {15, 0}, {20, 1}, {45, 1}, {50, 0}, {120, 0}}};

struct Severity {
    double now = 0;
    double sum = 0;  // its integral since the period's beginning, in seconds
};

Severity severity_at(double second) {
    Severity severity;
    for (std::size_t i = 1; i < kCorners.size(); ++i) {
        const Corner& from = kCorners[i - 1];
        const Corner& to = kCorners[i];
        const double end = std::min(second, to.second);
        const double slope = (to.severity - from.severity) / (to.second - from.second);
        severity.now = from.severity + slope * (end - from.second);
        severity.sum += (from.severity + severity.now) / 2 * (end - from.second);
        if (second <= to.second) {
            break;
        }
    }
    return severity;
}

}  // namespace

DemoShape DemoShape::at(Duration elapsed) {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    const double period = std::chrono::duration<double>(kPeriod).count();
    const double periods = std::floor(seconds / period);
    const Severity severity = severity_at(seconds - periods * period);
    const double slips = periods * severity_at(period).sum + severity.sum;
    const double ripple = std::sin(2 * std::numbers::pi * seconds / 17);
    return {.severity = severity.now,
            .error_ratio = 0.005 + 0.002 * ripple + 0.08 * severity.now,
            .response_seconds = 0.18 + 0.02 * ripple + 0.7 * severity.now,
            .orders = static_cast<std::uint64_t>(kOrdersPerSecond * (seconds - 0.8 * slips))};
}

}  // namespace kpid::ingest
