// Plots and their axes.
#include "ctl/plot.h"

#include "ctl/plot_scale.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace kpid::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

PlotSeries ramp(const std::string& name, double from, double to, std::size_t count = 11) {
    PlotSeries series{name, {}, {}};
    for (std::size_t i = 0; i < count; ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(count - 1);
        series.xs.push_back(1'800'000'000 + 3600 * share);
        series.ys.push_back(from + (to - from) * share);
    }
    return series;
}

TEST(PlotScale, MarksRoundNumbers) {
    struct Case {
        double low;
        double high;
        std::vector<std::string> want;
    };
    const std::vector<Case> cases{
        {0, 1, {"0.0", "0.5", "1.0"}},          {0.92, 0.97, {"0.92", "0.94", "0.96", "0.98"}},
        {-3, 12, {"-5", "0", "5", "10", "15"}}, {0, 43'000, {"0k", "20k", "40k", "60k"}},
        {5, 5, {"4.5", "5.0", "5.5"}},          {0, 0, {"-1", "0", "1"}}};
    for (const Case& c : cases) {
        SCOPED_TRACE(fmt::format("{} to {}", c.low, c.high));
        EXPECT_EQ(number_scale(c.low, c.high, 3).texts, c.want);
    }
    // Nothing a double can hold leads astray.
    for (const double low : {-1e308, 0.0, 5e-324, 1e-300, 1e15, 1e300}) {
        for (const double high : {5e-324, 1e-9, 1e15 + 1, 1.7e308}) {
            if (low <= high) {
                const PlotScale scale = number_scale(low, high, 5);
                EXPECT_LE(scale.marks.size(), 1002U);
                EXPECT_LE(scale.low, low);
                EXPECT_GE(scale.high, high);
            }
        }
    }
}

TEST(PlotScale, MarksRoundTimes) {
    EXPECT_THAT(time_scale(1'800'000'000, 1'800'003'600, 4).texts,
                ElementsAre("08:00", "08:15", "08:30", "08:45", "09:00"));
    EXPECT_THAT(time_scale(1'800'000'000, 1'800'000'010, 2).texts,
                ElementsAre("08:00:00", "08:00:05", "08:00:10"));
    EXPECT_THAT(time_scale(1'800'000'000, 1'800'000'000 + 2 * 86400.0, 2).texts,
                ElementsAre("01-16", "01-17"));
    EXPECT_THAT(time_scale(1'800'000'000, 1'800'000'000 + 1.5 * 86400, 4).texts,
                ElementsAre("01-15 12:00", "01-16 00:00", "01-16 12:00"));
    EXPECT_THAT(time_scale(0, 20 * 365 * 86400.0, 4).texts.front(), "1970-01-01");
}

TEST(PlotScale, ShortensNumbers) {
    EXPECT_EQ(short_number(0.1 + 0.2), "0.3");
    EXPECT_EQ(short_number(1234), "1234");
    EXPECT_EQ(short_number(12345678), "12.35M");
    EXPECT_EQ(short_number(-3.2e-7), "-3.2e-07");
    EXPECT_EQ(short_number(std::nan("")), "NaN");
    EXPECT_EQ(short_number(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(Plot, DrawsALineWithAxesAndALegend) {
    const std::vector<PlotSeries> series{ramp("up{job=\"a\"}", 0, 10)};
    const std::string plot = plot_lines(series, {.width = 40, .height = 8});
    EXPECT_EQ(plot,
              "10┤                               ⢀⡠⠤⠒⠒⠉\n"
              "  │                         ⣀⡠⠤⠔⠒⠉⠁\n"
              " 5┤                  ⣀⡠⠤⠔⠒⠉⠉\n"
              "  │            ⣀⣀⠤⠔⠒⠉\n"
              "  │      ⣀⠤⠔⠒⠊⠉\n"
              " 0┤⣀⠤⠤⠒⠊⠉\n"
              "  └┬─────────────────┬─────────────────┬\n"
              " 08:00             08:30           09:00\n"
              "⠶ up{job=\"a\"}  last 10, min 0, max 10\n");
}

TEST(Plot, KeepsToItsSize) {
    const std::vector<PlotSeries> series{ramp(std::string(300, 'x'), -1e6, 1e6, 500)};
    for (const std::size_t width :
         {std::size_t{0}, std::size_t{40}, std::size_t{79}, std::size_t{200}}) {
        for (const std::size_t height : {std::size_t{0}, std::size_t{9}, std::size_t{50}}) {
            const auto lines = lines_of(plot_lines(series, {.width = width, .height = height}));
            EXPECT_EQ(lines.size(), std::max<std::size_t>(height, PlotOptions::kHeightMin) + 1);
            for (const std::string& line : lines) {
                EXPECT_LE(width_of(line), std::max<std::size_t>(width, PlotOptions::kWidthMin))
                    << line;
            }
        }
    }
}

TEST(Plot, TellsSeveralLinesApartByLettersOrColours) {
    const std::vector<PlotSeries> series{ramp("first", 0, 10), ramp("second", 10, 0)};
    const std::string letters = plot_lines(series, {});
    EXPECT_THAT(letters, HasSubstr("a first  last 10, min 0, max 10"));
    EXPECT_THAT(letters, HasSubstr("b second  last 0, min 0, max 10"));
    EXPECT_THAT(letters, HasSubstr("aa"));
    EXPECT_THAT(letters, Not(HasSubstr("\x1b")));
    const std::string colors = plot_lines(series, {.has_color = true});
    EXPECT_THAT(colors, HasSubstr("\x1b[36m⠶\x1b[0m first"));
    EXPECT_THAT(colors, HasSubstr("\x1b[33m⠶\x1b[0m second"));
}

TEST(Plot, LeavesGapsWhereThereIsNothing) {
    PlotSeries series = ramp("x", 5, 5, 101);
    for (std::size_t i = 30; i < 70; ++i) {
        series.ys[i] = i % 2 == 0 ? std::nan("") : std::numeric_limits<double>::infinity();
    }
    const std::string plot = plot_lines(std::vector<PlotSeries>{series}, {});
    EXPECT_THAT(plot, HasSubstr("⡀                              ⣀")) << plot;
    EXPECT_THAT(plot, HasSubstr("last 5, min 5, max 5"));
    EXPECT_EQ(plot_lines({}, {}), "no points\n");
    const PlotSeries none{"x", {1}, {std::nan("")}};
    EXPECT_EQ(plot_lines(std::vector<PlotSeries>{none}, {}), "no points\n");
    const PlotSeries one{"x", {1}, {2}};
    EXPECT_THAT(plot_lines(std::vector<PlotSeries>{one}, {}), HasSubstr("last 2"));
    const std::vector<PlotSeries> many(30, ramp("x", 0, 1));
    EXPECT_THAT(plot_lines(many, {}), HasSubstr("4 more series are not drawn"));
}

TEST(Plot, DrawsBars) {
    const std::vector<PlotSeries> series{
        {"a", {1}, {4}}, {"bcd", {1}, {-1}}, {"", {1}, {0}}, {"n", {1}, {std::nan("")}}};
    EXPECT_EQ(plot_bars(series, {.width = 40}),
              "a     4 ███████████████████████████████\n"
              "bcd  -1 ░░░░░░░\n"
              "{}    0\n"
              "n   NaN\n");
    EXPECT_EQ(plot_bars({}, {}), "no points\n");
}

}  // namespace
}  // namespace kpid::ctl
