// Dumps of Prometheus' database.

#include "kpid/wire/tsdb_dump.h"

#include "kpid/model/sample.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace kpid::wire {
namespace {

TEST(TsdbDump, ReadsLines) {
    const auto samples = parse_tsdb_dump(
        "{__name__=\"up\", job=\"node\"} 1 1782864000000\n"
        "{__name__=\"up\", job=\"node\"} 1e+06 1782864015000\n"
        "\n"
        "{__name__=\"a\"} NaN -5\r\n"
        "{__name__=\"a\"} +Inf 0");
    ASSERT_TRUE(samples.has_value()) << samples.error().message;
    ASSERT_EQ(samples->size(), 4U);
    EXPECT_EQ((*samples)[0].labels, (model::Labels{{"__name__", "up"}, {"job", "node"}}));
    EXPECT_EQ((*samples)[0].time, Timestamp(1'782'864'000'000));
    EXPECT_EQ((*samples)[1].labels, (*samples)[0].labels);
    EXPECT_EQ((*samples)[1].value, 1e6);
    EXPECT_EQ((*samples)[2].labels.metric_name(), "a");
    EXPECT_EQ(std::bit_cast<std::uint64_t>((*samples)[2].value), model::kNormalNanBits);
    EXPECT_EQ((*samples)[2].line, 4U);
    EXPECT_EQ((*samples)[2].time, Timestamp(-5));
    EXPECT_TRUE(std::isinf((*samples)[3].value));
    EXPECT_TRUE(parse_tsdb_dump("")->empty());
}

TEST(TsdbDump, ResolvesWhatGoQuotes) {
    const auto samples = parse_tsdb_dump(
        R"({__name__="a", "b.c"="\" \\ \n \t \a \u00fc \U0001f600 \xc3\xbc } 1 2", d=""} 1 2)");
    ASSERT_TRUE(samples.has_value()) << samples.error().message;
    EXPECT_EQ((*samples)[0].labels,
              (model::Labels{{"__name__", "a"},
                             {"b.c", "\" \\ \n \t \a \xc3\xbc \xf0\x9f\x98\x80 \xc3\xbc } 1 2"}}));
}

TEST(TsdbDump, RefusesWhatIsNoDumpWithItsLine) {
    struct Case {
        std::string_view line;
        std::string_view want;
    };
    const std::vector<Case> cases = {
        {"up 1 2", "expected {"},
        {"{} 1 2", "there is no metric name (label __name__)"},
        {"{__name__=\"\"} 1 2", "there is no metric name (label __name__)"},
        {"{a=\"b\"} 1 2", "there is no metric name (label __name__)"},
        {"{__name__=\"a\"", "expected , or } after a label"},
        {"{__name__=\"a} 1 2", "a quote is not closed"},
        {"{__name__=a} 1 2", "expected a text in quotes"},
        {"{__name__=\"a\",} 1 2", "expected a label's name"},
        {"{__name__=\"a\", b} 1 2", "expected = after a label's name"},
        {"{__name__=\"a\", b=\"1\", b=\"2\"} 1 2", "label \"b\" stands twice"},
        {R"({__name__="\q"} 1 2)", "a quoted text has an unknown escape"},
        {R"({__name__="\xff"} 1 2)", "a label is not UTF-8"},
        {"{__name__=\"a\", \xff=\"b\"} 1 2", "a label is not UTF-8"},
        {R"({__name__="\ud800"} 1 2)", "a label is not UTF-8"},
        {"{__name__=\"a\"}", "expected a blank and a value after the labels"},
        {"{__name__=\"a\"} x 2", "\"x\" is no value"},
        {"{__name__=\"a\"} 1", "expected a blank and a time after the value"},
        {"{__name__=\"a\"} 1 2.5", "\"2.5\" is no time in milliseconds"},
        {"{__name__=\"a\"} 1 99999999999999999999",
         "\"99999999999999999999\" is no time in milliseconds"},
        {"{__name__=\"a\"} 1 2 3", "expected the end of the line after the time"},
        {"{__name__=\"a\"} {count:1, sum:2} 3", "native histograms are not supported"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.line);
        const auto samples = parse_tsdb_dump("{__name__=\"a\"} 1 1\n" + std::string(c.line) + "\n");
        ASSERT_FALSE(samples.has_value());
        EXPECT_EQ(samples.error().message, "line 2: " + std::string(c.want));
    }
}

TEST(TsdbDump, BoundsLinesAndLabels) {
    const std::string wide(TsdbDumpLimits::kLineBytesMax + 1, 'x');
    EXPECT_EQ(parse_tsdb_dump(wide).error().message, "line 1: longer than 1048576 bytes");
    std::string many = "{__name__=\"a\"";
    for (std::size_t i = 0; i < TsdbDumpLimits::kLabelsMax; ++i) {
        many += ", l" + std::to_string(i) + "=\"x\"";
    }
    EXPECT_EQ(parse_tsdb_dump(many + "} 1 2").error().message, "line 1: more than 512 labels");
}

}  // namespace
}  // namespace kpid::wire
