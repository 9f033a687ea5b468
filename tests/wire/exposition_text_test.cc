// The text format 0.0.4: what is read, what is refused, in both strictnesses.

#include "kpid/model/sample.h"
#include "kpid/wire/exposition.h"
#include "wire/conformance_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kpid::wire {
namespace {

using model::MetricType;

Result<ParsedExposition> scrape(std::string_view text) {
    return parse_exposition(text, {});
}
Result<ParsedExposition> strict(std::string_view text) {
    return parse_exposition(text, {.strictness = Strictness::kStrict});
}
std::string why(const Result<ParsedExposition>& result) {
    return result ? "read" : result.error().message;
}

// "labels value[ @time]", one line a sample.
std::string shown(const Result<ParsedExposition>& result) {
    if (!result) {
        return "error: " + result.error().message;
    }
    std::string text;
    for (const ParsedSample& sample : result->samples) {
        text += sample.labels.to_string() + ' ' + std::to_string(sample.value);
        text += sample.time ? " @" + std::to_string(sample.time->ms()) + "\n" : "\n";
    }
    return text;
}

TEST(ExpositionText, ReadsSamplesInEveryLayout) {
    struct Case {
        std::string_view name;
        std::string_view text;
        std::string_view want;
    };
    const Case cases[] = {
        {"bare", "a 1\n", "a 1.000000\n"},
        {"labels", "a{b=\"c\",d=\"e\"} 1\n", "a{b=\"c\", d=\"e\"} 1.000000\n"},
        {"blanks and tabs", "\ta {\tb = \"c\" , } \t1  5 \n", "a{b=\"c\"} 1.000000 @5\n"},
        {"value behind the brace", "a{b=\"c\"}-1\n", "a{b=\"c\"} -1.000000\n"},
        {"empty braces", "a{} 1\n", "a 1.000000\n"},
        {"empty value is no label", "a{b=\"\"} 1\n", "a 1.000000\n"},
        {"escapes", "a{b=\"x\\\\y\\\"z\\n\"} 1\n", "a{b=\"x\\\\y\\\"z\\n\"} 1.000000\n"},
        {"unknown escapes stay", "a{b=\"\\t\"} 1\n", "a{b=\"\\\\t\"} 1.000000\n"},
        {"colons", "a:b:c 1\n", "a:b:c 1.000000\n"},
        {"quoted name", "{\"a.b\"} 1\n", "{\"a.b\"} 1.000000\n"},
        {"quoted name behind a label", "{c=\"d\", \"a.b\"} 1\n", "{\"a.b\", c=\"d\"} 1.000000\n"},
        {"quoted label", "a{\"b.c\"=\"d\"} 1\n", "a{\"b.c\"=\"d\"} 1.000000\n"},
        {"comments and blank lines", "\n# hi\n#\n\na 1\n#HELP\n", "a 1.000000\n"},
        {"no last newline", "a 1", "a 1.000000\n"},
        {"nothing", "", ""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(shown(scrape(c.text)), c.want);
    }
}

TEST(ExpositionText, ReadsEveryNumber) {
    struct Case {
        std::string_view text;
        double want;
    };
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const Case cases[] = {{"1", 1},
                          {"+1.5e3", 1500},
                          {".5", 0.5},
                          {"1.", 1},
                          {"Inf", kInfinity},
                          {"-inf", -kInfinity},
                          {"+Infinity", kInfinity},
                          {"1e-400", 0},
                          {"5e-324", 5e-324},
                          {"1.7976931348623157e+308", 1.7976931348623157e+308}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto result = scrape("a " + std::string(c.text) + "\n");
        ASSERT_TRUE(result) << why(result);
        EXPECT_EQ(result->samples.at(0).value, c.want);
    }
    const auto nan = scrape("a nAn\n");
    ASSERT_TRUE(nan);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(nan->samples.at(0).value), model::kNormalNanBits);
    EXPECT_TRUE(std::signbit(scrape("a -0\n")->samples.at(0).value));
}

TEST(ExpositionText, RefusesWhatIsMalformedWithTheLine) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const Case cases[] = {
        {"a 1\nb 1e400\n", "line 2: expected float as value"},
        {"a 0x1\n", "line 1: expected float"},
        {"a 1_2\n", "line 1: expected float"},
        {"a true\n", "line 1: expected float"},
        {"a nan(1)\n", "line 1: expected float"},
        {"a\n", "line 1: expected blank after metric name, got the end of the line"},
        {"a \n", "line 1: expected value"},
        {"a 1 1.5\n", "expected integer as timestamp"},
        {"a 1 99999999999999999999\n", "expected integer as timestamp"},
        {"a 1 2 3\n", "expected end of line"},
        {"a 1\r\n", "expected float as value"},
        {"a{b=\"c\",b=\"d\"} 1\n", "duplicate label name \"b\""},
        {"a{b=c} 1\n", "expected label value, got 'c'"},
        {"a{b=\"c} 1\n", "does not end"},
        {"a{,} 1\n", "expected label name"},
        {"a{b=\"c\" d=\"e\"} 1\n", "expected ',' or '}'"},
        {"a{b:c=\"d\"} 1\n", "expected label name"},
        {"a{__name__=\"b\"} 1\n", "__name__"},
        {"{b=\"c\"} 1\n", "metric name not set"},
        {"a{\"b\"} 1\n", "metric name given twice"},
        {"{\"\"} 1\n", "metric name is empty"},
        {"a{\"\"=\"b\"} 1\n", "label name is empty"},
        {"a{b=\"\xff\"} 1\n", "invalid UTF-8"},
        {"a-b 1\n", "expected blank after metric name, got '-'"},
        {"<html>\n", "expected metric name, got '<'"},
        {"# TYPE a banana\n", "unknown metric type \"banana\""},
        {"# TYPE a\n", "unknown metric type"},
        {"# HELP a \xff\n", "invalid UTF-8 in HELP"},
        {"a 1 # {b=\"c\"} 1\n", "expected integer as timestamp"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_THAT(why(scrape(c.text)), ::testing::HasSubstr(c.want));
        EXPECT_FALSE(strict(c.text));
    }
}

TEST(ExpositionText, StrictRefusesWhatAScrapeForgives) {
    struct Case {
        std::string_view name;
        std::string_view text;
    };
    const Case cases[] = {
        {"no last newline", "a 1"},
        {"unknown escape", "a{b=\"\\t\"} 1\n"},
        {"raw newline in quotes", "a{b=\"x\ny\"} 1\n"},
        {"second TYPE", "# TYPE a gauge\n# TYPE a gauge\n"},
        {"second HELP", "# HELP a x\n# HELP a x\n"},
        {"TYPE after samples", "a 1\n# TYPE a gauge\n"},
        {"le is no number", "# TYPE a histogram\na_bucket{le=\"x\"} 1\n"},
        {"negative bucket", "# TYPE a histogram\na_bucket{le=\"1\"} -1\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(why(scrape(c.text)), "read");
        EXPECT_FALSE(strict(c.text));
    }
    EXPECT_EQ(shown(strict("a 1 -5\n")), "a 1.000000 @-5\n");
    EXPECT_FALSE(scrape("a 1 -5\n"));
}

TEST(ExpositionText, TellsTypesAndHelp) {
    const auto result = scrape(
        "# HELP a  two-line\\n doc \\\\ \\\"\n# TYPE a counter\na 1\n"
        "# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_sum 3\nother 4\n");
    ASSERT_TRUE(result) << why(result);
    ASSERT_EQ(result->metadata.size(), 2U);
    EXPECT_EQ(result->metadata[0].family, "a");
    EXPECT_EQ(result->metadata[0].help, "two-line\n doc \\ \\\"");
    EXPECT_EQ(result->metadata[0].type, MetricType::kCounter);
    EXPECT_EQ(result->metadata[1].type, MetricType::kHistogram);
    EXPECT_EQ(result->samples[0].type, MetricType::kCounter);
    EXPECT_EQ(result->samples[1].type, MetricType::kHistogram);
    EXPECT_EQ(result->samples[3].type, MetricType::kUnknown);
}

TEST(ExpositionText, WritesBoundsInOneForm) {
    const auto result = scrape(
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"2.50\"} 1\nh_bucket{le=\"1e6\"} "
        "1\n"
        "h_bucket{le=\"+Inf\"} 1\n# TYPE s summary\ns{quantile=\"0\"} 1\ns{quantile=\"x\"} 1\n"
        "# TYPE g gauge\ng{le=\"1\"} 1\n");
    ASSERT_TRUE(result) << why(result);
    std::vector<std::string> bounds;
    for (const ParsedSample& sample : result->samples) {
        bounds.emplace_back(sample.labels.get(sample.labels.has("le") ? "le" : "quantile"));
    }
    EXPECT_THAT(bounds, ::testing::ElementsAre("1.0", "2.5", "1e+06", "+Inf", "0.0", "x", "1"));
}

TEST(ExpositionText, GivesTheRawBytesOfTheSeries) {
    class Sink final : public ExpositionSink {
    public:
        Result<void> on_sample(const SampleEvent& sample) override {
            series.emplace_back(sample.series);
            lines.push_back(sample.line);
            return {};
        }
        std::vector<std::string> series;
        std::vector<std::size_t> lines;
    };
    Sink sink;
    ASSERT_TRUE(read_exposition("a 1\n\n# x\na{b=\"c\", } 2 3\n", {}, sink));
    EXPECT_THAT(sink.series, ::testing::ElementsAre("a", "a{b=\"c\", }"));
    EXPECT_THAT(sink.lines, ::testing::ElementsAre(1, 4));
}

TEST(ExpositionText, StopsWhenTheSinkDoes) {
    class Sink final : public ExpositionSink {
    public:
        Result<void> on_sample(const SampleEvent&) override {
            return ++count == 2 ? Result<void>(resource_exhausted("enough")) : Result<void>();
        }
        int count = 0;
    };
    Sink sink;
    const auto result = read_exposition("a 1\nb 1\nc 1\n", {}, sink);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), resource_exhausted("enough"));
    EXPECT_EQ(sink.count, 2);
}

TEST(ExpositionText, BoundsLinesAndLabels) {
    EXPECT_FALSE(scrape("a{b=\"" + std::string(ExpositionOptions::kLineBytesMax, 'x') + "\"} 1\n"));
    std::string many = "a{";
    for (std::size_t i = 0; i <= ExpositionOptions::kLabelsMax; ++i) {
        many += "l" + std::to_string(i) + "=\"x\",";
    }
    EXPECT_THAT(why(scrape(many + "} 1\n")), ::testing::HasSubstr("more than 512 labels"));
}

TEST(ExpositionFormat, FollowsTheContentType) {
    struct Case {
        std::string_view type;
        std::optional<ExpositionFormat> want;
    };
    const Case cases[] = {
        {"", ExpositionFormat::kText},
        {"text/plain", ExpositionFormat::kText},
        {"text/plain; version=0.0.4; charset=utf-8", ExpositionFormat::kText},
        {"Text/Plain;charset=\"UTF-8\"", ExpositionFormat::kText},
        {"text/plain; version=0.0.4; charset=utf-8; escaping=underscores", ExpositionFormat::kText},
        {"application/openmetrics-text; version=1.0.0; charset=utf-8",
         ExpositionFormat::kOpenMetrics},
        {"application/openmetrics-text", ExpositionFormat::kOpenMetrics},
        {"application/openmetrics-text; version=2.0.0", std::nullopt},
        {"text/plain; charset=utf-16", std::nullopt},
        {"text/html; charset=utf-8", std::nullopt},
        {"application/json", std::nullopt},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.type);
        const auto format = exposition_format_of(c.type);
        ASSERT_EQ(format.has_value(), c.want.has_value());
        if (format) {
            EXPECT_EQ(*format, *c.want);
        }
    }
    EXPECT_EQ(exposition_format_of("text/html").error(),
              unsupported("received unsupported Content-Type \"text/html\""));
}

TEST(ExpositionText, ReadsWhatCommonReadsAndRefusesWhatItRefuses) {
    const auto folder = testing::conformance_dir("prom-text");
    if (!folder) {
        return;
    }
    const std::size_t valid =
        ConformanceTable(*folder / "text-valid.json").for_each_case([](JsonValue c) {
            std::string text = text_of(c.member("in"));
            // One text ends in tabs: blanks that are no line.
            const auto result = strict(text);
            EXPECT_TRUE(result) << text << why(result);
        });
    EXPECT_GT(valid, 5U);
    const std::size_t invalid =
        ConformanceTable(*folder / "text-invalid.json").for_each_case([](JsonValue c) {
            const bool good = text_of(c.member("errUTF8")).empty();
            const auto result = strict(text_of(c.member("in")));
            EXPECT_EQ(result.has_value(), good) << text_of(c.member("in")) << why(result);
        });
    EXPECT_GT(invalid, 10U);
}

TEST(ExpositionText, RefusesWhatPrometheusRefuses) {
    const auto folder = testing::conformance_dir("prom-text");
    if (!folder) {
        return;
    }
    for (const char* name :
         {"prometheus-TestPromParseErrors.json", "prometheus-TestPromNullByteHandling.json"}) {
        SCOPED_TRACE(name);
        const std::size_t count = ConformanceTable(*folder / name).for_each_case([](JsonValue c) {
            const auto result = scrape(text_of(c.member("input")));
            EXPECT_EQ(result.has_value(), text_of(c.member("err")).empty())
                << text_of(c.member("input")) << why(result);
        });
        EXPECT_GT(count, 5U);
    }
}

// `labels.FromStrings("a", "1", …)` of a table.
model::Labels labels_of_call(JsonValue call) {
    std::vector<std::string> words;
    call.member("_args")->for_each(
        [&](std::string_view, JsonValue word) { words.emplace_back(word.string()); });
    std::vector<model::Label> labels;
    for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
        labels.push_back({words[i], words[i + 1]});
    }
    return model::Labels::from(std::move(labels));
}

TEST(ExpositionText, BuildsTheLabelsThatPrometheusBuilds) {
    const auto folder = testing::conformance_dir("prom-text");
    if (!folder) {
        return;
    }
    std::size_t compared = 0;
    ConformanceTable(*folder / "prometheus-TestPromParse.json").for_each_case([&](JsonValue c) {
        const auto lset = c.member("lset");
        if (!lset) {
            return;
        }
        // The second variant of typeAndUnitLabels, the first of todoDetectFamilySwitch: plain
        // labels.
        const auto want = lset->at(*JsonPointer::parse("/_args/1"));
        if (!want || !want->member("_args") ||
            text_of(want->member("_call")) != "labels.FromStrings") {
            return;
        }
        if (text_of(c.member("m")).find("__type__") != std::string::npos) {
            return;  // The label __type__ needs Prometheus' feature of that name.
        }
        const auto result = scrape(text_of(c.member("m")) + " 1\n");
        ASSERT_TRUE(result) << why(result);
        EXPECT_EQ(result->samples.at(0).labels.to_string(), labels_of_call(*want).to_string());
        ++compared;
    });
    EXPECT_GT(compared, 5U);
}

TEST(ExpositionText, ReadsWhatWasCaptured) {
    const auto folder = testing::conformance_dir("captured-clients");
    if (!folder) {
        return;
    }
    const auto odd = strict(testing::read_file(*folder / "scraped-inputs" / "odd.prom"));
    ASSERT_TRUE(odd) << why(odd);
    EXPECT_EQ(odd->samples.size(), 10U);
    for (const char* name : {"exh.om", "five.om", "summ.om"}) {
        SCOPED_TRACE(name);
        const auto result = parse_exposition(testing::read_file(*folder / "scraped-inputs" / name),
                                             {.format = ExpositionFormat::kOpenMetrics});
        EXPECT_TRUE(result) << why(result);
    }
}

}  // namespace
}  // namespace kpid::wire
