// Dots, letters and bars.
#include "ctl/plot.h"

#include "ctl/plot_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace kpid::ctl {
namespace {

// A braille character has two columns of four dots.
constexpr std::size_t kDotsAcross = 2;
constexpr std::size_t kDotsDown = 4;
constexpr std::array<std::array<std::uint8_t, kDotsAcross>, kDotsDown> kDots{
    {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
constexpr std::array<int, 8> kColors{36, 33, 35, 32, 34, 31, 96, 93};
constexpr std::string_view kColorEnd = "\x1b[0m";
// Room that a mark of the time axis needs.
constexpr std::size_t kTimeMarkWidth = 14;
constexpr std::size_t kLinesOfMark = 4;

std::string color_begin(std::size_t index) {
    return fmt::format("\x1b[{}m", kColors[index % kColors.size()]);
}

// U+2800 and the dots.
std::string braille(std::uint8_t dots) {
    const unsigned point = 0x2800U + dots;
    return {static_cast<char>(0xe0U | (point >> 12U)),
            static_cast<char>(0x80U | ((point >> 6U) & 0x3fU)),
            static_cast<char>(0x80U | (point & 0x3fU))};
}

// The first `width` characters.
std::string_view cut(std::string_view text, std::size_t width) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U;
        if (begins && seen++ == width) {
            return text.substr(0, i);
        }
    }
    return text;
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

struct Bounds {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
    void take(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    [[nodiscard]] bool empty() const { return low > high; }
};

// Cells of the area between the axes. Row 0 is the top one.
class Canvas {
public:
    Canvas(std::size_t width, std::size_t height)
        : width_(width), height_(height), dots_(width * height), owners_(width * height) {}

    [[nodiscard]] std::size_t dots_across() const { return width_ * kDotsAcross; }
    [[nodiscard]] std::size_t dots_down() const { return height_ * kDotsDown; }

    void set(std::size_t x, std::size_t y, std::size_t owner) {
        const std::size_t cell = y / kDotsDown * width_ + x / kDotsAcross;
        dots_[cell] |= kDots[y % kDotsDown][x % kDotsAcross];
        owners_[cell] = owner;
    }
    [[nodiscard]] std::string row(std::size_t row, const PlotOptions& options,
                                  bool has_letters) const {
        std::string text;
        std::size_t blanks = 0;
        for (std::size_t column = 0; column < width_; ++column) {
            const std::size_t cell = row * width_ + column;
            if (dots_[cell] == 0) {
                ++blanks;
                continue;
            }
            text.append(std::exchange(blanks, 0), ' ');
            if (has_letters) {
                text += static_cast<char>('a' + owners_[cell]);
            } else if (options.has_color) {
                text += color_begin(owners_[cell]) + braille(dots_[cell]) + std::string(kColorEnd);
            } else {
                text += braille(dots_[cell]);
            }
        }
        return text;
    }

private:
    std::size_t width_;
    std::size_t height_;
    std::vector<std::uint8_t> dots_;
    std::vector<std::size_t> owners_;
};

std::size_t dot_of(double value, const PlotScale& scale, std::size_t count) {
    const double share = (value - scale.low) / (scale.high - scale.low);
    const double last = static_cast<double>(count - 1);
    return static_cast<std::size_t>(std::llround(std::clamp(share, 0.0, 1.0) * last));
}

// From one dot to the other, without a gap.
void draw_line(Canvas& canvas, std::array<std::size_t, 2> from, std::array<std::size_t, 2> to,
               std::size_t owner) {
    const auto distance = [](std::size_t a, std::size_t b) { return a > b ? a - b : b - a; };
    const std::size_t steps = std::max(distance(from[0], to[0]), distance(from[1], to[1]));
    for (std::size_t i = 0; i <= steps; ++i) {
        const double share = steps == 0 ? 0 : static_cast<double>(i) / static_cast<double>(steps);
        const auto between = [share](std::size_t a, std::size_t b) {
            const double start = static_cast<double>(a);
            return static_cast<std::size_t>(
                std::llround(start + (static_cast<double>(b) - start) * share));
        };
        canvas.set(between(from[0], to[0]), between(from[1], to[1]), owner);
    }
}

struct Axes {
    PlotScale x;
    PlotScale y;
    double gap = 0;  // points further apart are not joined
};

void draw_series(Canvas& canvas, const PlotSeries& series, const Axes& axes, std::size_t owner) {
    std::optional<std::size_t> before;
    for (std::size_t i = 0; i < series.xs.size(); ++i) {
        if (!std::isfinite(series.ys[i])) {
            before.reset();
            continue;
        }
        const auto place = [&](std::size_t point) {
            const std::size_t down = canvas.dots_down();
            return std::array<std::size_t, 2>{
                dot_of(series.xs[point], axes.x, canvas.dots_across()),
                down - 1 - dot_of(series.ys[point], axes.y, down)};
        };
        const bool joins = before && series.xs[i] - series.xs[*before] <= axes.gap;
        draw_line(canvas, place(joins ? *before : i), place(i), owner);
        before = i;
    }
}

std::string legend_line(const PlotSeries& series, std::size_t index, bool has_letters,
                        const PlotOptions& options) {
    Bounds bounds;
    std::optional<double> last;
    for (const double y : series.ys) {
        if (std::isfinite(y)) {
            bounds.take(y);
        }
        last = y;
    }
    const std::string mark = has_letters ? std::string(1, static_cast<char>('a' + index)) : "⠶";
    const std::string figures =
        last ? fmt::format("  last {}", short_number(*last)) +
                   (bounds.empty() ? std::string()
                                   : fmt::format(", min {}, max {}", short_number(bounds.low),
                                                 short_number(bounds.high)))
             : "  no points";
    const std::size_t room = options.width - std::min(options.width, figures.size() + 2);
    const std::string_view name = series.name.empty() ? std::string_view("{}") : series.name;
    return (options.has_color ? color_begin(index) + mark + std::string(kColorEnd) : mark) + " " +
           std::string(cut(name, std::max<std::size_t>(room, 10))) + figures + "\n";
}

PlotOptions within_bounds(PlotOptions options) {
    options.width = std::clamp(options.width, PlotOptions::kWidthMin, PlotOptions::kSizeMax);
    options.height = std::clamp(options.height, PlotOptions::kHeightMin, PlotOptions::kSizeMax);
    return options;
}

// The line below the plot, and the labels below that.
std::string time_axis(const PlotScale& scale, std::size_t margin, std::size_t width) {
    std::string line = std::string(margin, ' ') + "└";
    std::string labels;
    bool is_first = true;
    std::vector<bool> has_mark(width);
    for (std::size_t i = 0; i < scale.marks.size(); ++i) {
        const std::size_t column = dot_of(scale.marks[i], scale, width);
        has_mark[column] = true;
        // In the middle below its mark, but within the plot.
        const std::size_t length = scale.texts[i].size();
        const std::size_t end =
            std::min(margin + 1 + column + (length + 1) / 2, margin + 1 + width);
        const std::size_t begin = end - std::min(end, length);
        if (is_first || begin > labels.size()) {
            labels.resize(begin, ' ');
            labels += scale.texts[i];
            is_first = false;
        }
    }
    for (std::size_t column = 0; column < width; ++column) {
        line += has_mark[column] ? "┬" : "─";
    }
    return line + "\n" + labels + "\n";
}

}  // namespace

std::string plot_lines(std::span<const PlotSeries> all, const PlotOptions& wanted) {
    const PlotOptions options = within_bounds(wanted);
    const auto series = all.first(std::min(all.size(), PlotOptions::kSeriesMax));
    Bounds xs;
    Bounds ys;
    double least_distance = std::numeric_limits<double>::infinity();
    for (const PlotSeries& one : series) {
        for (std::size_t i = 0; i < one.xs.size(); ++i) {
            xs.take(one.xs[i]);
            if (std::isfinite(one.ys[i])) {
                ys.take(one.ys[i]);
            }
            if (i > 0) {
                least_distance = std::min(least_distance, one.xs[i] - one.xs[i - 1]);
            }
        }
    }
    if (xs.empty() || ys.empty()) {
        return "no points\n";
    }
    const std::size_t rows = options.height - 2;
    Axes axes{.x = {},
              .y = number_scale(ys.low, ys.high, std::max<std::size_t>(rows / kLinesOfMark, 2)),
              .gap = 2 * least_distance};
    std::size_t margin = 0;
    for (const std::string& text : axes.y.texts) {
        margin = std::max(margin, text.size());
    }
    const std::size_t columns = options.width - std::min(margin + 1, options.width - 10);
    const double room = xs.high > xs.low ? 0 : 1;
    axes.x = time_scale(xs.low - room, xs.high + room, columns / kTimeMarkWidth);
    Canvas canvas(columns, rows);
    for (std::size_t i = 0; i < series.size(); ++i) {
        draw_series(canvas, series[i], axes, i);
    }
    const bool has_letters = !options.has_color && series.size() > 1;
    std::vector<std::string_view> texts(rows);
    for (std::size_t i = 0; i < axes.y.marks.size(); ++i) {
        texts[rows - 1 - dot_of(axes.y.marks[i], axes.y, rows)] = axes.y.texts[i];
    }
    std::string plot;
    for (std::size_t row = 0; row < rows; ++row) {
        plot += fmt::format("{:>{}}{}{}\n", texts[row], margin, texts[row].empty() ? "│" : "┤",
                            canvas.row(row, options, has_letters));
    }
    plot += time_axis(axes.x, margin, columns);
    for (std::size_t i = 0; i < series.size(); ++i) {
        plot += legend_line(series[i], i, has_letters, options);
    }
    if (series.size() < all.size()) {
        plot += fmt::format("{} more series are not drawn\n", all.size() - series.size());
    }
    return plot;
}

std::string plot_bars(std::span<const PlotSeries> all, const PlotOptions& wanted) {
    constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const PlotOptions options = within_bounds(wanted);
    Bounds bounds;
    bounds.take(0);
    std::size_t name_width = 0;
    std::size_t value_width = 0;
    const auto last_of = [](const PlotSeries& series) {
        return series.ys.empty() ? std::numeric_limits<double>::quiet_NaN() : series.ys.back();
    };
    const auto name_of = [&options](const PlotSeries& series) {
        const std::string_view name = series.name.empty() ? std::string_view("{}") : series.name;
        return std::string(cut(name, options.width / 2));
    };
    for (const PlotSeries& series : all) {
        const double value = last_of(series);
        if (std::isfinite(value)) {
            bounds.take(std::abs(value));
        }
        name_width = std::max(name_width, width_of(name_of(series)));
        value_width = std::max(value_width, short_number(value).size());
    }
    const std::size_t used = std::min(name_width + value_width + 3, options.width - 10);
    const double room = static_cast<double>((options.width - used) * 8);
    std::string plot = all.empty() ? "no points\n" : "";
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double value = last_of(all[i]);
        const double share =
            std::isfinite(value) && bounds.high > 0 ? std::abs(value) / bounds.high : 0;
        const auto eighths = static_cast<std::size_t>(std::llround(share * room));
        std::string bar;
        for (std::size_t cell = 0; cell < eighths / 8; ++cell) {
            // What is below nothing is lighter.
            bar += value < 0 ? "░" : "█";
        }
        bar += value < 0 ? std::string_view() : kEighths[eighths % 8];
        if (options.has_color && !bar.empty()) {
            bar = fmt::format("{}{}{}", color_begin(i), bar, kColorEnd);
        }
        plot += fmt::format("{:<{}} {:>{}}{}{}\n", name_of(all[i]), name_width, short_number(value),
                            value_width, bar.empty() ? "" : " ", bar);
    }
    return plot;
}

}  // namespace kpid::ctl
