// What is written reads back the same.

#include "kpid/wire/text_encoder.h"

#include "kpid/model/sample.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace kpid::wire {
namespace {

using model::MetricType;

TEST(TextEncoder, WritesTextWithFullPrecisionAndEscapes) {
    const MetricFamily families[] = {
        {.name = "requests",
         .help = "two\nlines \\ \"q\"",
         .type = MetricType::kCounter,
         .samples = {{"_total", {{"a", "x\"\\\ny"}}, 0.30000000000000004, Timestamp(5)},
                     {"_created", {}, 1, std::nullopt}}},
        {.name = "my.gauge",
         .type = MetricType::kGauge,
         .samples = {{"", {{"b.c", "d"}}, 1e6, std::nullopt}}},
        {.name = "plain", .samples = {{"", {}, std::nan(""), std::nullopt}}},
    };
    EXPECT_EQ(encode_exposition(families, ExpositionFormat::kText),
              "# HELP requests_total two\\nlines \\\\ \"q\"\n"
              "# TYPE requests_total counter\n"
              "requests_total{a=\"x\\\"\\\\\\ny\"} 0.30000000000000004 5\n"
              "# TYPE \"my.gauge\" gauge\n"
              "{\"my.gauge\",\"b.c\"=\"d\"} 1e+06\n"
              "# TYPE plain untyped\n"
              "plain NaN\n");
}

TEST(TextEncoder, WritesOpenMetrics) {
    const MetricFamily families[] = {
        {.name = "wait_seconds",
         .help = "a \"b\"",
         .type = MetricType::kCounter,
         .unit = "seconds",
         .samples = {{"_total", {}, 2, Timestamp(1500)}}},
    };
    EXPECT_EQ(encode_exposition(families, ExpositionFormat::kOpenMetrics),
              "# HELP wait_seconds a \\\"b\\\"\n# TYPE wait_seconds counter\n"
              "# UNIT wait_seconds seconds\nwait_seconds_total 2 1.5\n# EOF\n");
}

TEST(TextEncoder, WritesSeriesWithTheirTimesAndWithoutStaleMarkers) {
    std::string text;
    encode_unknown_type("up", text);
    const std::vector<Timestamp> times = {Timestamp(-1500), Timestamp(2), Timestamp(3000),
                                          Timestamp(1'795'314'674'771)};
    encode_series({{"__name__", "up"}, {"a", "x\"\n"}}, times,
                  std::vector<double>{0.1, model::stale_marker(), std::nan(""), 1e21}, text);
    encode_unknown_type("my.metric", text);
    encode_series({{"__name__", "my.metric"}}, std::vector{Timestamp(0)}, std::vector{1.0}, text);
    EXPECT_EQ(text,
              "# TYPE up unknown\n"
              "up{a=\"x\\\"\\n\"} 0.1 -1.5\n"
              "up{a=\"x\\\"\\n\"} NaN 3\n"
              "up{a=\"x\\\"\\n\"} 1e+21 1795314674.771\n"
              "# TYPE \"my.metric\" unknown\n"
              "{\"my.metric\"} 1 0\n");
    const auto read = parse_exposition(text + "# EOF\n", {.format = ExpositionFormat::kOpenMetrics,
                                                          .strictness = Strictness::kStrict});
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(read->samples.size(), 4U);
    EXPECT_EQ(read->samples[2].time, Timestamp(1'795'314'674'771));
}

TEST(TextEncoder, EscapesNamesForReadersOfClassicOnes) {
    const MetricFamily families[] = {
        {.name = "my.gauge",
         .help = "h",
         .type = MetricType::kGauge,
         .samples = {{"", {{"a b", "c"}, {"d", "e f"}}, 1, std::nullopt}}},
    };
    EXPECT_EQ(encode_exposition(families, ExpositionFormat::kText, NameEscaping::kUnderscores),
              "# HELP my_gauge h\n# TYPE my_gauge gauge\nmy_gauge{a_b=\"c\",d=\"e f\"} 1\n");
}

// Families of random names, labels and numbers.
class RandomFamilies {
public:
    explicit RandomFamilies(unsigned seed) : random_(seed) {}

    std::vector<MetricFamily> make() {
        std::vector<MetricFamily> families;
        for (int i = 0; i < 5; ++i) {
            MetricFamily family{.name = "m" + std::to_string(i) + text(), .help = text()};
            family.type = pick(2) == 0 ? MetricType::kGauge : MetricType::kUnknown;
            for (int j = 0; j < 4; ++j) {
                EncodedSample sample{.labels = {{"n", std::to_string(j)}, {"x" + text(), text()}}};
                sample.value = std::bit_cast<double>(bits_(random_));
                if (std::isnan(sample.value)) {
                    sample.value = std::bit_cast<double>(model::kNormalNanBits);
                }
                if (pick(2) == 0) {
                    sample.time = Timestamp(static_cast<std::int64_t>(bits_(random_) >> 24U));
                }
                family.samples.push_back(std::move(sample));
            }
            families.push_back(std::move(family));
        }
        return families;
    }

private:
    std::size_t pick(std::size_t count) { return bits_(random_) % count; }
    std::string text() {
        static constexpr std::string_view kParts[] = {"a", "Z9", "_", "\\", "\"", "\n", " ", "ü",
                                                      "☃", "{",  "}", ",",  "=",  "#",  "\t"};
        std::string result;
        for (std::size_t i = pick(6); i > 0; --i) {
            result += kParts[pick(std::size(kParts))];
        }
        return result;
    }

    std::mt19937_64 random_;
    std::uniform_int_distribution<std::uint64_t> bits_;
};

TEST(TextEncoder, RoundTripsThroughTheStrictParser) {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const std::vector<MetricFamily> families = RandomFamilies(seed).make();
        const std::string text = encode_exposition(families, ExpositionFormat::kText);
        const auto parsed = parse_exposition(text, {.strictness = Strictness::kStrict});
        ASSERT_TRUE(parsed) << parsed.error().message << "\n" << text;
        std::size_t index = 0;
        for (const MetricFamily& family : families) {
            for (const EncodedSample& sample : family.samples) {
                ASSERT_LT(index, parsed->samples.size());
                const ParsedSample& got = parsed->samples[index++];
                EXPECT_EQ(got.labels.to_string(),
                          sample.labels.with(model::kMetricName, family.name).to_string());
                EXPECT_EQ(std::bit_cast<std::uint64_t>(got.value),
                          std::bit_cast<std::uint64_t>(sample.value));
                EXPECT_EQ(got.time, sample.time);
            }
        }
        EXPECT_EQ(index, parsed->samples.size());
    }
}

}  // namespace
}  // namespace kpid::wire
