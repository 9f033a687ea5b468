// The *_over_time family.

#include "promql/compensated_sum.h"
#include "promql/statistics.h"
#include "promql/window_functions.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace kpid::promql {
namespace {

// The index of the sample that no later one beats; any number beats NaN.
template <class Beats>
std::size_t extreme(const Window& window, const Beats& beats) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < window.values.size(); ++i) {
        if (beats(window.values[i], window.values[best]) || std::isnan(window.values[best])) {
            best = i;
        }
    }
    return best;
}

double variance(const Window& window) {
    double count = 0;
    CompensatedSum mean;
    CompensatedSum squares;
    for (const double value : window.values) {
        ++count;
        const double delta = value - mean.value();
        mean.add(delta / count);
        squares.add(delta * (value - mean.value()));
    }
    return squares.value() / count;
}

}  // namespace

double window_sum(const Window& window) {
    CompensatedSum sum;
    for (const double value : window.values) {
        sum.add(value);
    }
    return sum.value();
}

double window_avg(const Window& window) {
    CompensatedMean mean;
    for (const double value : window.values) {
        mean.add(value);
    }
    return mean.value();
}

double window_min(const Window& window) {
    return window.values[extreme(window, std::less<>())];
}
double window_max(const Window& window) {
    return window.values[extreme(window, std::greater<>())];
}
double window_count(const Window& window) {
    return static_cast<double>(window.values.size());
}
double window_present(const Window&) {
    return 1;
}
double window_first(const Window& window) {
    return window.values.front();
}
double window_last(const Window& window) {
    return window.values.back();
}
double window_stdvar(const Window& window) {
    return variance(window);
}
double window_stddev(const Window& window) {
    return std::sqrt(variance(window));
}

double window_quantile(const Window& window) {
    std::vector<double> values(window.values.begin(), window.values.end());
    return quantile(window.parameters[0], values);
}

// The median of the distances to the median.
double window_mad(const Window& window) {
    std::vector<double> values(window.values.begin(), window.values.end());
    if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
        return std::nan("");
    }
    const double median = quantile(0.5, values);
    for (double& value : values) {
        value = std::abs(value - median);
    }
    return quantile(0.5, values);
}

double window_time_of_first(const Window& window) {
    return window.times.front().seconds();
}
double window_time_of_last(const Window& window) {
    return window.times.back().seconds();
}
double window_time_of_min(const Window& window) {
    return window.times[extreme(window, std::less_equal<>())].seconds();
}
double window_time_of_max(const Window& window) {
    return window.times[extreme(window, std::greater_equal<>())].seconds();
}

}  // namespace kpid::promql
