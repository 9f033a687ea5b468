#pragma once
// Quantiles of samples, shared by aggregations and functions over time.

#include <cstdint>
#include <vector>

namespace kpid::promql {

/// The q-quantile with linear interpolation between ranks; NaN values sort below all others. -Inf
/// for q < 0, +Inf for q > 1, NaN for a NaN q or no values. Reorders `values`.
[[nodiscard]] double quantile(double q, std::vector<double>& values);

/// Less-than where NaN is the smallest.
[[nodiscard]] bool less_nan_first(double a, double b);

}  // namespace kpid::promql
