// Metrics and the series of test scripts.

#include "kpid/model/sample.h"
#include "kpid/promql/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace kpid::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The values as text: "_", "stale", "h" for a histogram, else the number.
std::vector<std::string> values_of(std::string_view text) {
    const auto series = parse_series_description(text);
    if (!series) {
        return {series.error().message};
    }
    std::vector<std::string> values;
    for (const SequenceValue& value : series->values) {
        values.push_back(value.omitted     ? "_"
                         : value.histogram ? "h"
                         : model::is_stale_marker(value.value)
                             ? "stale"
                             : std::to_string(value.value).substr(0, 4));
    }
    return values;
}

TEST(Metric, IsReadInAllForms) {
    const model::Labels want{{"__name__", "up"}, {"a.b", "c"}};
    EXPECT_EQ(*parse_metric("up{\"a.b\"=\"c\",}"), want);
    EXPECT_EQ(*parse_metric("{'up', `a.b`='c'}"), want);
    EXPECT_EQ(*parse_metric("{__name__=\"up\", \"a.b\"=\"c\"}"), want);
    EXPECT_EQ(*parse_metric("{}"), model::Labels());
    EXPECT_EQ(*parse_metric(""), model::Labels());
    EXPECT_EQ(parse_metric("sum")->metric_name(), "sum");
}

TEST(Metric, SaysWhatIsWrong) {
    EXPECT_EQ(parse_metric("up{a!=\"b\"}").error().message,
              "1:5: parse error: unexpected <op:!=> in label set, expected \"=\"");
    EXPECT_EQ(parse_metric("up{a=b}").error().message,
              "1:6: parse error: unexpected identifier \"b\" in label set, expected string");
    EXPECT_EQ(
        parse_metric("up{a=\"b\" c}").error().message,
        "1:10: parse error: unexpected identifier \"c\" in label set, expected \",\" or \"}\"");
    EXPECT_EQ(parse_metric("up{=}").error().message,
              "1:4: parse error: unexpected \"=\" in label set, expected identifier or \"}\"");
    EXPECT_FALSE(parse_metric("up 1").has_value());
}

TEST(SeriesDescription, ExpandsItsNotation) {
    EXPECT_THAT(values_of("up"), ElementsAre());
    EXPECT_THAT(values_of("up 1 _ -2.5 +3"), ElementsAre("1.00", "_", "-2.5", "3.00"));
    EXPECT_THAT(values_of("up _x3"), ElementsAre("_", "_", "_"));
    EXPECT_THAT(values_of("up 5x2"), ElementsAre("5.00", "5.00", "5.00"));
    EXPECT_THAT(values_of("up 0+10x2"), ElementsAre("0.00", "10.0", "20.0"));
    EXPECT_THAT(values_of("up -1-1x1"), ElementsAre("-1.0", "-2.0"));
    EXPECT_THAT(values_of("up 1 stale 2"), ElementsAre("1.00", "stale", "2.00"));
    EXPECT_THAT(values_of("{} NaN Inf -Inf 1e3  "), ElementsAre("nan", "inf", "-inf", "1000"));
    EXPECT_THAT(values_of("up 0x2"), ElementsAre("0.00", "0.00", "0.00"));
}

TEST(SeriesDescription, RecognisesHistograms) {
    const auto series = parse_series_description(
        "up {{schema:-1 sum:-0.3 count:3.1 z_bucket:7 z_bucket_w:0.05 buckets:[5 10 Inf] offset:-3 "
        "n_buckets:[4] n_offset:-5 counter_reset_hint:gauge custom_values:[1 2]}} {{}}x1 "
        "{{sum:1}}-{{sum:2}}x2");
    ASSERT_TRUE(series.has_value()) << series.error().message;
    ASSERT_EQ(series->values.size(), 6U);
    const HistogramLiteral& full = *series->values[0].histogram->base;
    EXPECT_EQ(full.schema, -1);
    EXPECT_EQ(full.sum, -0.3);
    EXPECT_EQ(full.zero_threshold, 0.05);
    EXPECT_THAT(full.buckets, ElementsAre(5, 10, HUGE_VAL));
    EXPECT_EQ(full.offset, -3);
    EXPECT_EQ(full.negative_offset, -5);
    EXPECT_EQ(full.counter_reset_hint, HistogramLiteral::CounterResetHint::kGauge);
    EXPECT_FALSE(series->values[1].histogram->base->counter_reset_hint.has_value());
    const HistogramValue& last = *series->values[5].histogram;
    EXPECT_EQ(last.increments, 2U);
    EXPECT_TRUE(last.subtract);
    EXPECT_EQ(last.increment->sum, 2);
}

TEST(SeriesDescription, SaysWhatIsWrong) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const std::vector<Case> cases{
        {"up 1 foo",
         "unexpected identifier \"foo\" in series values, expected number or \"stale\""},
        {"up 1+", "unexpected end of input in series values"},
        {"up 1+2", "unexpected end of input in series values"},
        {"up -3-3 -3", "in series values"},
        {"up 1x1.5",
         "invalid repetition in series values: strconv.ParseUint: parsing \"1.5\": invalid"},
        {"up 1x99999999999999999999", "value out of range"},
        {"up 1x100000000", "series has more than 1000000 values"},
        {"up _x999999 1x5", "series has more than 1000000 values"},
        {"up $", "unexpected character in series sequence: '$'"},
        {"up {{sum}}", "missing `:` for histogram descriptor"},
        {"up {{what:1}}", "bad histogram descriptor found: \"what\""},
        {"up {{sum:1 sum:2}}", "duplicate key \"sum\" in histogram"},
        {"up {{sum:1", "histogram description incomplete unexpected"},
        {"up {{buckets:[1 a]}}", "invalid character in buckets description: 'a'"},
        {"up {{schema:99999999999}}", "out of range"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto series = parse_series_description(c.text);
        ASSERT_FALSE(series.has_value());
        EXPECT_THAT(series.error().message, HasSubstr(c.want));
    }
}

}  // namespace
}  // namespace kpid::promql
