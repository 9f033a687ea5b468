#pragma once
// Axes of plots: round numbers and round times.

#include <cstddef>
#include <string>
#include <vector>

namespace kpid::ctl {

/// An axis whose ends and marks are round.
struct PlotScale {
    double low = 0;
    double high = 1;
    std::vector<double> marks;  ///< Ascending, from low to high.
    std::vector<std::string> texts;
};

/// Marks at 1, 2 or 5 times a power of ten, at most `marks_max` (at least 2) but for the ends.
/// `low` is not above `high`; both are finite.
[[nodiscard]] PlotScale number_scale(double low, double high, std::size_t marks_max);
/// Marks at round seconds, minutes, hours or days within [low, high], in UTC; the ends stay as they
/// are.
[[nodiscard]] PlotScale time_scale(double low, double high, std::size_t marks_max);
/// A value for people: "1.5k", "250m", "3.2e-07", "NaN".
[[nodiscard]] std::string short_number(double value);

}  // namespace kpid::ctl
