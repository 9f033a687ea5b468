#pragma once
// Plots in characters, for terminals.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace kpid::ctl {

/// Points of one line: xs are seconds since the epoch and ascend; ys that are not finite are gaps.
struct PlotSeries {
    std::string name;
    std::vector<double> xs;
    std::vector<double> ys;  ///< As many.
};

struct PlotOptions {
    static constexpr std::size_t kWidthMin = 40;
    static constexpr std::size_t kHeightMin = 6;
    static constexpr std::size_t kSizeMax = 1000;
    /// Lines that are drawn; of more the first.
    static constexpr std::size_t kSeriesMax = 26;

    std::size_t width = 80;   ///< Columns, with the axis.
    std::size_t height = 20;  ///< Lines, with the axis, without the legend.
    bool has_color = false;   ///< ANSI colours; several lines without them are drawn as letters.
};

/// Lines over time: braille dots, axes with labels in UTC, and a legend with each line's last,
/// least and greatest value. Points that are further apart than twice the least distance are not
/// joined. A size out of bounds is brought into them. Pure.
[[nodiscard]] std::string plot_lines(std::span<const PlotSeries> series,
                                     const PlotOptions& options);

/// One bar for each series from its last value. Pure.
[[nodiscard]] std::string plot_bars(std::span<const PlotSeries> series, const PlotOptions& options);

}  // namespace kpid::ctl
