// Quantiles.

#include "promql/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kpid::promql {

bool less_nan_first(double a, double b) {
    if (std::isnan(a)) {
        return !std::isnan(b);
    }
    return a < b;
}

double quantile(double q, std::vector<double>& values) {
    if (values.empty() || std::isnan(q)) {
        return std::nan("");
    }
    if (q < 0) {
        return -std::numeric_limits<double>::infinity();
    }
    if (q > 1) {
        return std::numeric_limits<double>::infinity();
    }
    std::sort(values.begin(), values.end(), less_nan_first);
    const double rank = q * static_cast<double>(values.size() - 1);
    const double floor = std::floor(rank);
    const auto lower = static_cast<std::size_t>(floor);
    const std::size_t upper = std::min(values.size() - 1, lower + 1);
    const double weight = rank - floor;
    return values[lower] * (1 - weight) + values[upper] * weight;
}

}  // namespace kpid::promql
