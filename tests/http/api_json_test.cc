#include "http/api_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

TEST(ApiJson, ValuesHaveTheirResultType) {
    JsonWriter vector;
    write_value(vector, promql::Vector{{{{"__name__", "up"}, {"job", "a"}}, Timestamp(1000), 1}});
    EXPECT_EQ(
        vector.text(),
        R"({"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1,"1"]}]})");
    JsonWriter empty;
    write_value(empty, promql::Vector{});
    EXPECT_EQ(empty.text(), R"({"resultType":"vector","result":[]})");
    JsonWriter scalar;
    write_value(scalar, promql::Scalar{Timestamp(1500), 2});
    EXPECT_EQ(scalar.text(), R"({"resultType":"scalar","result":[1.5,"2"]})");
    JsonWriter matrix;
    write_value(matrix,
                promql::Matrix{{{{"a", "b"}}, {{Timestamp(1000), 1}, {Timestamp(2000), NAN}}}});
    EXPECT_EQ(
        matrix.text(),
        R"({"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"],[2,"NaN"]]}]})");
}

TEST(ApiJson, EnvelopeHasWarningsOnlyWhenThereAreSome) {
    EXPECT_EQ(success("[]").body, R"({"status":"success","data":[]})");
    EXPECT_EQ(success("[]", {"careful"}, {"note"}).body,
              R"({"status":"success","data":[],"warnings":["careful"],"infos":["note"]})");
}

}  // namespace
}  // namespace kpid::http
