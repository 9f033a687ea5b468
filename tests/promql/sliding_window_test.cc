// Sliding windows against the functions of one window.

#include "promql/sliding_window.h"

#include "support/random_series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace kpid::promql {
namespace {

using testing::Dice;

constexpr WindowFunction kFunctions[] = {window_sum,     window_avg,    window_min,
                                         window_max,     window_stdvar, window_stddev,
                                         window_changes, window_resets};

std::vector<double> random_values(Dice& dice, std::size_t count) {
    const std::size_t shape = dice.below(5);
    std::vector<double> values;
    double walk = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto whole = static_cast<double>(dice.below(1000));
        walk += whole - 500;
        const double shapes[] = {whole, walk / 10, 7, 1e9 + whole / 1000,
                                 dice.below(2) == 0 ? 1e100 : -1e-100};
        values.push_back(shapes[shape]);
    }
    return values;
}

// The function of one window has no digits left where values are far from zero and close together.
double exact_deviation(std::span<const double> values, bool squared) {
    long double mean = 0;
    for (const double value : values) {
        mean += value;
    }
    mean /= static_cast<long double>(values.size());
    long double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    const long double variance = squares / static_cast<long double>(values.size());
    return static_cast<double>(squared ? variance : std::sqrt(variance));
}

// Both ends only move forward; some windows jump, some stand still.
std::vector<WindowBounds> random_windows(Dice& dice, std::size_t count) {
    std::vector<WindowBounds> windows;
    const std::size_t width = 1 + dice.below(count);
    std::size_t high = 1 + dice.below(width);
    std::size_t low = 0;
    while (high <= count) {
        low = std::max(low, high > width ? high - width : 0);
        low = std::min(low + (dice.below(9) == 0 ? dice.below(width) : 0), high - 1);
        windows.push_back({low, high});
        high += dice.below(dice.below(5) == 0 ? width : 4);
    }
    return windows;
}

TEST(SlidingWindow, GivesWhatTheFunctionOfEachWindowGives) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Dice dice(seed);
        const std::size_t count = 1 + dice.below(300);
        const std::vector<double> values = random_values(dice, count);
        const std::vector<Timestamp> times(count);
        const std::vector<WindowBounds> windows = random_windows(dice, count);
        const double largest =
            std::abs(*std::max_element(values.begin(), values.end(), [](double a, double b) {
                return std::abs(a) < std::abs(b);
            }));
        for (const WindowFunction function : kFunctions) {
            std::vector<double> answers;
            ASSERT_TRUE(slide(sliding_kind(function), values, windows, answers));
            ASSERT_EQ(answers.size(), windows.size());
            for (std::size_t i = 0; i < windows.size(); ++i) {
                const auto [low, high] = windows[i];
                const std::span<const double> part = std::span(values).subspan(low, high - low);
                const double want =
                    function == window_stdvar || function == window_stddev
                        ? exact_deviation(part, function == window_stdvar)
                        : function(
                              {.times = std::span(times).subspan(low, high - low), .values = part});
                // Sums may cancel out; squares cannot.
                const bool is_sum = function == window_sum || function == window_avg;
                const double tolerance = is_sum ? largest * 1e-12 : std::abs(want) * 1e-9;
                EXPECT_NEAR(answers[i], want, tolerance)
                    << "function " << &function - kFunctions << " from " << low << " to " << high;
            }
        }
    }
}

TEST(SlidingWindow, RefusesWhatDependsOnTheOrderOfTheArithmetic) {
    const std::vector<WindowBounds> windows{{0, 2}};
    std::vector<double> answers;
    for (const double odd : {std::nan(""), std::numeric_limits<double>::infinity(), -1e300}) {
        EXPECT_FALSE(slide(SlidingKind::kSum, std::vector{1.0, odd}, windows, answers));
    }
    EXPECT_EQ(sliding_kind(window_quantile), SlidingKind::kNone);
    EXPECT_FALSE(slide(SlidingKind::kNone, std::vector{1.0, 2.0}, windows, answers));
}

}  // namespace
}  // namespace kpid::promql
