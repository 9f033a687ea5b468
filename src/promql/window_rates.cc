// How fast series change: rates with extrapolation, regressions, changes and resets.

#include "promql/compensated_sum.h"
#include "promql/window_functions.h"

#include <cmath>
#include <optional>

namespace kpid::promql {
namespace {

double milliseconds_between(Timestamp from, Timestamp to) {
    return static_cast<double>((to - from).count());
}

double seconds_between(Timestamp from, Timestamp to) {
    return static_cast<double>((to - from).count()) / 1000.0;
}

// The difference of the last and the first sample; of a counter with what resets took away put
// back.
double raw_difference(const Window& window, bool is_counter) {
    double difference = window.values.back() - window.values.front();
    if (is_counter) {
        for (const std::uint32_t place : window.resets) {
            difference += window.values[place - window.base - 1];
        }
    }
    return difference;
}

// The difference over the whole window. The samples rarely lie at its ends, so the slope is carried
// on up to the end when that is near (1.1 average intervals), else by half an interval; a counter
// is never carried back below zero. As Prometheus' rate() documents it.
double extrapolated(const Window& window, bool is_counter, bool per_second) {
    if (window.values.size() < 2) {
        return absent();
    }
    const double difference = raw_difference(window, is_counter);
    // In milliseconds: whole numbers, and the factor is a ratio of them.
    const double sampled = milliseconds_between(window.times.front(), window.times.back());
    if (sampled <= 0) {
        return absent();  // Events of one instant: no time to spread them over.
    }
    const double average = sampled / static_cast<double>(window.values.size() - 1);
    const double threshold = average * 1.1;
    double to_start = milliseconds_between(window.start, window.times.front());
    double to_end = milliseconds_between(window.times.back(), window.end);
    if (to_start >= threshold) {
        to_start = average / 2;
    }
    const double first = window.values.front();
    if (is_counter && difference > 0 && first >= 0) {
        // How far back it was zero, if that is nearer; for most it is not, which needs no division.
        const double reach = to_start * difference;
        if (sampled * first < reach || !std::isfinite(reach)) {
            to_start = std::fmin(to_start, sampled * (first / difference));
        }
    }
    if (to_end >= threshold) {
        to_end = average / 2;
    }
    const double per = per_second ? seconds_between(window.start, window.end) : 1;
    const double factor = (sampled + to_start + to_end) / (sampled * per);
    return difference * factor;
}

double instant(const Window& window, bool per_second) {
    if (window.values.size() < 2) {
        return absent();
    }
    const std::size_t last = window.values.size() - 1;
    const double before = window.values[last - 1];
    const double newest = window.values[last];
    if (!per_second) {
        return newest - before;
    }
    const double elapsed = seconds_between(window.times[last - 1], window.times[last]);
    if (elapsed <= 0) {
        return absent();
    }
    const double difference =
        newest < before ? newest : newest - before;  // Smaller: it began again at 0.
    return difference / elapsed;
}

struct Line {
    double slope = 0;
    double intercept = 0;
};

// Least squares, with time 0 at `origin`; nothing where all samples lie at one instant.
std::optional<Line> fit_line(const Window& window, Timestamp origin) {
    if (window.times.front() == window.times.back()) {
        return std::nullopt;
    }
    CompensatedSum x_sum;
    CompensatedSum y_sum;
    CompensatedSum xy_sum;
    CompensatedSum xx_sum;
    bool constant = true;
    for (std::size_t i = 0; i < window.values.size(); ++i) {
        const double x = seconds_between(origin, window.times[i]);
        const double y = window.values[i];
        constant = constant && y == window.values[0];
        x_sum.add(x);
        y_sum.add(y);
        xy_sum.add(x * y);
        xx_sum.add(x * x);
    }
    if (constant) {
        const double y = window.values[0];
        return std::isinf(y) ? Line{std::nan(""), std::nan("")} : Line{0, y};
    }
    const double n = static_cast<double>(window.values.size());
    const double x = x_sum.value();
    const double y = y_sum.value();
    const double covariance = xy_sum.value() - x * y / n;
    const double variance = xx_sum.value() - x * x / n;
    const double slope = covariance / variance;
    return Line{slope, y / n - slope * x / n};
}

}  // namespace

double window_rate(const Window& window) {
    return extrapolated(window, true, true);
}
double window_increase(const Window& window) {
    return extrapolated(window, true, false);
}
double window_delta(const Window& window) {
    return extrapolated(window, false, false);
}
double window_irate(const Window& window) {
    return instant(window, true);
}
double window_idelta(const Window& window) {
    return instant(window, false);
}

double window_deriv(const Window& window) {
    if (window.values.size() < 2) {
        return absent();
    }
    // An origin among the samples keeps the numbers small.
    const std::optional<Line> line = fit_line(window, window.times.front());
    return line ? line->slope : absent();
}

double window_predict_linear(const Window& window) {
    if (window.values.size() < 2) {
        return absent();
    }
    const std::optional<Line> line = fit_line(window, window.step_time);
    return line ? line->slope * window.parameters[0] + line->intercept : absent();
}

double window_changes(const Window& window) {
    double changes = 0;
    for (std::size_t i = 1; i < window.values.size(); ++i) {
        const double before = window.values[i - 1];
        const double value = window.values[i];
        if (value != before && !(std::isnan(value) && std::isnan(before))) {
            ++changes;
        }
    }
    return changes;
}

double window_resets(const Window& window) {
    double resets = 0;
    for (std::size_t i = 1; i < window.values.size(); ++i) {
        if (window.values[i] < window.values[i - 1]) {
            ++resets;
        }
    }
    return resets;
}

// Holt's linear method: parameters are the smoothing and the trend factor.
double window_smoothing(const Window& window) {
    if (window.values.size() < 2) {
        return absent();
    }
    const double smoothing_factor = window.parameters[0];
    const double trend_factor = window.parameters[1];
    double previous = 0;
    double smoothed = window.values[0];
    double trend = window.values[1] - window.values[0];
    for (std::size_t i = 1; i < window.values.size(); ++i) {
        if (i > 1) {
            trend = trend_factor * (smoothed - previous) + (1 - trend_factor) * trend;
        }
        const double next =
            smoothing_factor * window.values[i] + (1 - smoothing_factor) * (smoothed + trend);
        previous = smoothed;
        smoothed = next;
    }
    return smoothed;
}

}  // namespace kpid::promql
