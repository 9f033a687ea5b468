#include "kpid/base/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace kpid {
namespace {

TEST(Number, FormatsAsGoDoes) {
    struct Case {
        double value;
        std::string fixed, general, text;
    };
    const std::vector<Case> cases{
        {0, "0", "0", "0"},
        {-0.0, "-0", "-0", "-0"},
        {0.3, "0.3", "0.3", "0.3"},
        {0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "0.30000000000000004"},
        {1e6, "1000000", "1000000", "1e+06"},
        {123456, "123456", "123456", "123456"},
        {1234567, "1234567", "1234567", "1.234567e+06"},
        {1e21, "1000000000000000000000", "1e+21", "1e+21"},
        {1e-5, "0.00001", "1e-05", "1e-05"},
        {0.0001, "0.0001", "0.0001", "0.0001"},
        {-1.5, "-1.5", "-1.5", "-1.5"},
        {INFINITY, "+Inf", "+Inf", "+Inf"},
        {-double{INFINITY}, "-Inf", "-Inf", "-Inf"},
        {NAN, "NaN", "NaN", "NaN"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(format_float(c.value), c.fixed);
        EXPECT_EQ(format_float_general(c.value), c.general);
        EXPECT_EQ(format_float_text(c.value), c.text);
    }
}

TEST(Number, ParsesAsGoDoes) {
    EXPECT_EQ(parse_float("+1.5e3").value(), 1500);
    EXPECT_EQ(parse_float(".5").value(), 0.5);
    EXPECT_EQ(parse_float("1.").value(), 1);
    EXPECT_EQ(parse_float("1e-400").value(), 0);
    EXPECT_EQ(parse_float("-iNfinity").value(), -INFINITY);
    EXPECT_TRUE(std::isnan(parse_float("nan").value()));
    for (const char* bad : {"", "+", "1e400", "-1e400", "0x10", "1_2", "nan(1)", "+nan", "1 ", " 1",
                            "infx", "--1", "true", "1e", "e5"}) {
        EXPECT_FALSE(parse_float(bad).has_value()) << bad;
    }
}

TEST(Number, EveryDoubleReadsBackAsItself) {
    const std::uint64_t seed = 20260701;
    std::mt19937_64 random(seed);
    for (int i = 0; i < 20000; ++i) {
        const double value = std::bit_cast<double>(random());
        if (!std::isfinite(value)) {
            continue;
        }
        EXPECT_EQ(parse_float(format_float(value)).value(), value) << "seed " << seed;
        EXPECT_EQ(parse_float(format_float_text(value)).value(), value) << "seed " << seed;
    }
}

}  // namespace
}  // namespace kpid
