#include "promql/window_walk.h"

#include <cstdint>
#include <span>

namespace kpid::promql {
namespace {

// One series alone may keep a query busy for long: many steps over wide windows.
constexpr std::size_t kSamplesPerLook = 100'000;

// From here on it pays to share what overlapping windows have in common.
constexpr std::int64_t kOverlap = 8;
constexpr std::size_t kSlidingSamples = 64;

void move_to(std::span<const Timestamp> times, Timestamp start, Timestamp end,
             WindowBounds& window) {
    while (window.high < times.size() && times[window.high] <= end) {
        ++window.high;
    }
    while (window.low < window.high && times[window.low] <= start) {
        ++window.low;
    }
}

void find_resets(std::span<const double> values, std::vector<std::uint32_t>& resets) {
    for (std::size_t i = 1; i < values.size(); ++i) {
        if (values[i] < values[i - 1]) {
            resets.push_back(static_cast<std::uint32_t>(i));
        }
    }
}

}  // namespace

void WindowWalk::fill(const RangeView& series, Row& row) const {
    row.values.clear();
    row.values.reserve(steps_.count);
    row.labels = series.labels;
    row.drop_name = series.drop_name;
    row.place = series.place;
    if (!windows_overlap(series) || !fill_sliding(series, row)) {
        fill_each(series, row);
    }
}

bool WindowWalk::windows_overlap(const RangeView& series) const {
    return sliding_ != SlidingKind::kNone && steps_.count > 1 &&
           series.times.size() >= kSlidingSamples &&
           arguments_.frame.range >= steps_.step * kOverlap;
}

bool WindowWalk::fill_sliding(const RangeView& series, Row& row) const {
    std::vector<std::size_t> where;
    std::vector<WindowBounds> windows;
    WindowBounds window;
    for (std::size_t step = 0; step < steps_.count; ++step) {
        const Timestamp end = arguments_.frame.window_end(steps_.at(step));
        move_to(series.times, saturating_sub(end, arguments_.frame.range), end, window);
        if (window.low < window.high) {
            where.push_back(step);
            windows.push_back(window);
        }
    }
    std::vector<double> answers;
    if (!slide(sliding_, series.values, windows, answers)) {
        return false;
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        row.append(where[i], answers[i]);
    }
    return true;
}

void WindowWalk::fill_each(const RangeView& series, Row& row) const {
    std::vector<std::uint32_t> resets;
    if (function_.of_counter) {
        find_resets(series.values, resets);
    }
    std::vector<double> parameters(arguments_.scalars.size());
    const std::span<const Timestamp> times = series.times;
    std::size_t seen = 0;  // Samples since the last look at the stop.
    WindowBounds window;
    std::size_t first_reset = 0;  // The first one behind the window's first sample.
    std::size_t end_reset = 0;    // The first one behind the window.
    for (std::size_t step = 0; step < steps_.count; ++step) {
        const Timestamp end = arguments_.frame.window_end(steps_.at(step));
        const Timestamp start = saturating_sub(end, arguments_.frame.range);
        move_to(times, start, end, window);
        const auto [low, high] = window;
        if (low == high) {
            continue;
        }
        while (end_reset < resets.size() && resets[end_reset] < high) {
            ++end_reset;
        }
        while (first_reset < end_reset && resets[first_reset] <= low) {
            ++first_reset;
        }
        seen += high - low;
        if (seen >= kSamplesPerLook) {
            seen = 0;
            if (!evaluator_.check_stop()) {
                return;
            }
        }
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            parameters[i] = arguments_.scalars[i][step];
        }
        const double value = function_.function(
            {times.subspan(low, high - low), series.values.subspan(low, high - low), start, end,
             steps_.at(step), parameters,
             std::span(resets).subspan(first_reset, end_reset - first_reset),
             static_cast<std::uint32_t>(low)});
        if (!is_absent(value)) {
            row.append(step, value);
        }
    }
}

}  // namespace kpid::promql
