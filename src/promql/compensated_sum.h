#pragma once
// Sums and means that do not lose small values beside large ones.

#include <cmath>
#include <cstdint>

namespace kpid::promql {

/// Neumaier's variant of Kahan summation ("Rundungsfehleranalyse einiger Verfahren zur Summation
/// endlicher Summen", 1974). An infinite sum stays infinite.
struct CompensatedSum {
    double sum = 0;
    double compensation = 0;

    void add(double value) {
        const double total = sum + value;
        if (std::isinf(total)) {
            compensation = 0;
        } else if (std::abs(sum) >= std::abs(value)) {
            compensation += (sum - total) + value;
        } else {
            compensation += (value - total) + sum;
        }
        sum = total;
    }
    [[nodiscard]] double value() const { return std::isinf(sum) ? sum : sum + compensation; }
};

/// The arithmetic mean: the compensated sum divided by the count, and an incremental mean from the
/// value on with which that sum would overflow.
struct CompensatedMean {
    CompensatedSum sum;
    std::uint64_t count = 0;
    bool incremental = false;

    void add(double value) {
        ++count;
        const double n = static_cast<double>(count);
        if (!incremental) {
            CompensatedSum next = sum;
            next.add(value);
            if (count == 1 || !std::isinf(next.sum)) {
                sum = next;
                return;
            }
            incremental = true;
            sum.sum /= n - 1;
            sum.compensation /= n - 1;
        }
        const double weight = (n - 1) / n;
        CompensatedSum mean{weight * sum.sum, weight * sum.compensation};
        mean.add(value / n);
        sum = mean;
    }
    [[nodiscard]] double value() const {
        if (incremental) {
            return sum.value();
        }
        const double n = static_cast<double>(count);
        return std::isinf(sum.sum) ? sum.sum : sum.sum / n + sum.compensation / n;
    }
};

}  // namespace kpid::promql
