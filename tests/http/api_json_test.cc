#include "http/api_json.h"

#include "kpid/base/number.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace kpid::http {
namespace {

TEST(ApiJson, SampleValuesReadAsPrometheusWritesThem) {
    struct Case {
        double value;
        std::string want;
    };
    const std::vector<Case> cases{
        {0, "0"},
        {-0.0, "-0"},
        {2, "2"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {0.000001, "0.000001"},
        {0.0000001, "1e-7"},
        {NAN, "NaN"},
        {INFINITY, "+Inf"},
        {-double{INFINITY}, "-Inf"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(sample_value(c.value), c.want);
    }
}

TEST(ApiJson, AlertValuesHaveAnExponent) {
    EXPECT_EQ(alert_value(1), "1e+00");
    EXPECT_EQ(alert_value(-0.25), "-2.5e-01");
    EXPECT_EQ(alert_value(1e100), "1e+100");
    EXPECT_EQ(alert_value(std::numeric_limits<double>::infinity()), "+Inf");
}

TEST(ApiJson, SampleTimesHaveAtMostThreeDecimals) {
    EXPECT_EQ(sample_time(Timestamp(1435781451781)), "1435781451.781");
    EXPECT_EQ(sample_time(Timestamp(1435781451700)), "1435781451.7");
    EXPECT_EQ(sample_time(Timestamp(1435781451000)), "1435781451");
    EXPECT_EQ(sample_time(Timestamp(0)), "0");
    EXPECT_EQ(sample_time(Timestamp(-500)), "-0.5");
    EXPECT_EQ(sample_time(Timestamp(-1500)), "-1.5");
}

// Two ways to the same text: by the number's kind here, by the general formatter there.
TEST(ApiJson, SampleValuesAreTheShortestThatReadBack) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        const auto bits = std::bit_cast<double>(random());
        const double value = i % 2 == 0 ? bits : std::ldexp(static_cast<double>(random()), -60);
        if (std::isnan(value)) {
            continue;
        }
        const std::string text = sample_value(value);
        EXPECT_EQ(parse_float(text).value(), value) << text;
        const double magnitude = std::abs(value);
        if (magnitude >= 1e-6 && magnitude < 1e21) {
            EXPECT_EQ(text, format_float(value));
        }
        std::string point;
        append_point(point, Timestamp(i), value);
        EXPECT_EQ(point, "[" + sample_time(Timestamp(i)) + ",\"" + text + "\"]");
    }
    EXPECT_EQ(sample_value(9007199254740993.0), "9007199254740992");
    EXPECT_EQ(sample_value(-9007199254740991.0), "-9007199254740991");
    EXPECT_EQ(sample_value(123456789012345680000.0), "123456789012345680000");
    EXPECT_EQ(sample_value(-1e-7), "-1e-7");
    EXPECT_EQ(sample_value(-1.5e-10), "-1.5e-10");
    EXPECT_EQ(sample_value(-1.5e300), "-1.5e+300");
}

TEST(ApiJson, TimesAreExactAtTheEndsOfTime) {
    EXPECT_EQ(sample_time(Timestamp::max()), "9223372036854775.807");
    EXPECT_EQ(sample_time(Timestamp::min()), "-9223372036854775.808");
    EXPECT_EQ(sample_time(Timestamp(1050)), "1.05");
    EXPECT_EQ(sample_time(Timestamp(1007)), "1.007");
}

TEST(ApiJson, LabelsAreAppendedAsTheWriterWritesThem) {
    for (const model::Labels& labels :
         {model::Labels(), model::Labels({{"__name__", "up"}, {"a", "<\"\\\n\xff\u2028é"}})}) {
        JsonWriter json;
        write_labels(json, labels);
        std::string text;
        append_labels(text, labels);
        EXPECT_EQ(text, json.text());
    }
}

TEST(ApiJson, EnvelopeHasWarningsOnlyWhenThereAreSome) {
    EXPECT_EQ(success("[]").body, R"({"status":"success","data":[]})");
    EXPECT_EQ(success("[]", {"careful"}, {"note"}).body,
              R"({"status":"success","data":[],"warnings":["careful"],"infos":["note"]})");
}

}  // namespace
}  // namespace kpid::http
