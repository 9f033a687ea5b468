// OpenMetrics 1.0: grammar in both strictnesses, the rules of each type in strict reading.

#include "kpid/wire/exposition.h"
#include "wire/conformance_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace kpid::wire {
namespace {

using model::MetricType;

Result<ParsedExposition> parse(std::string_view text, Strictness strictness = Strictness::kScrape) {
    return parse_exposition(text,
                            {.format = ExpositionFormat::kOpenMetrics, .strictness = strictness});
}
Result<ParsedExposition> strict(std::string_view text) {
    return parse(text, Strictness::kStrict);
}
std::string why(const Result<ParsedExposition>& result) {
    return result ? "read" : result.error().message;
}

TEST(OpenMetrics, ReadsSamplesMetadataAndExemplars) {
    const auto result = strict(
        "# TYPE req_seconds counter\n# UNIT req_seconds seconds\n# HELP req_seconds a\\\"b\\n\n"
        "req_seconds_total{a=\"x\"} 5 1.5 # {trace=\"t\"} 0.5 2.25\n"
        "req_seconds_created{a=\"x\"} 123.5 1.5\n# EOF\n");
    ASSERT_TRUE(result) << why(result);
    ASSERT_EQ(result->metadata.size(), 1U);
    EXPECT_EQ(result->metadata[0].unit, "seconds");
    EXPECT_EQ(result->metadata[0].help, "a\"b\n");
    ASSERT_EQ(result->samples.size(), 2U);
    const ParsedSample& sample = result->samples[0];
    EXPECT_EQ(sample.labels.to_string(), "req_seconds_total{a=\"x\"}");
    EXPECT_EQ(sample.time, Timestamp(1500));
    EXPECT_EQ(sample.type, MetricType::kCounter);
    EXPECT_FALSE(sample.is_created);
    ASSERT_TRUE(sample.exemplar);
    EXPECT_EQ(sample.exemplar->labels.get("trace"), "t");
    EXPECT_EQ(sample.exemplar->value, 0.5);
    EXPECT_EQ(sample.exemplar->time, Timestamp(2250));
    EXPECT_TRUE(result->samples[1].is_created);
}

TEST(OpenMetrics, FlagsCreatedOnlyWhereTheTypeHasIt) {
    const auto result =
        parse("# TYPE a gauge\na_created 1\n# TYPE b summary\nb_created 1\n# EOF\n");
    ASSERT_TRUE(result) << why(result);
    EXPECT_FALSE(result->samples[0].is_created);
    EXPECT_TRUE(result->samples[1].is_created);
}

TEST(OpenMetrics, ReadsQuotedNamesAndNoFinalNewline) {
    const auto result = parse("# TYPE \"my.g\" gauge\n{\"my.g\",\"a.b\"=\"c\"} 1 # {} 2\n# EOF");
    ASSERT_TRUE(result) << why(result);
    EXPECT_EQ(result->samples[0].labels.to_string(), "{\"my.g\", \"a.b\"=\"c\"}");
    EXPECT_EQ(result->samples[0].type, MetricType::kGauge);
    EXPECT_TRUE(result->samples[0].exemplar);
}

TEST(OpenMetrics, RefusesBrokenGrammarWithTheLine) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const Case cases[] = {
        {"a 1\n", "line 2: data does not end with # EOF"},
        {"", "data does not end with # EOF"},
        {"a 1\n# EOF\nb 1\n", "unexpected data after # EOF"},
        {"a 1\n\n# EOF\n", "line 2: expected metric name or #"},
        {"# comment\n# EOF\n", "none of HELP, TYPE, UNIT, EOF"},
        {"a  1\n# EOF\n", "expected float as value"},
        {"a{ b=\"c\"} 1\n# EOF\n", "expected label name"},
        {"a {b=\"c\"} 1\n# EOF\n", "expected float as value"},
        {"a 1 NaN\n# EOF\n", "invalid timestamp"},
        {"a 1 1e99\n# EOF\n", "invalid timestamp"},
        {"a 1 2 \n# EOF\n", "expected end of line"},
        {"a 1 # {\n# EOF\n", "expected label name"},
        {"a 1 # {a=\"b\"}\n# EOF\n", "expected blank and value"},
        {"a 1 # {a=\"b\"} 1 # {a=\"b\"} 1\n# EOF\n", "two exemplars"},
        {"# TYPE a banana\n# EOF\n", "unknown metric type"},
        {"# UNIT a seconds\n# EOF\n", "not a suffix"},
        {"# HELP a\n# EOF\n", "expected blank and text"},
        {"a 1\r\n# EOF\n", "expected float"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_THAT(why(parse(c.text)), ::testing::HasSubstr(c.want));
        EXPECT_FALSE(strict(c.text));
    }
}

TEST(OpenMetrics, StrictHoldsTypesToTheirRules) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const Case cases[] = {
        {"# TYPE a counter\na_total -1\n# EOF\n", "negative"},
        {"# TYPE a counter\na 1\n# EOF\n", "not in one block"},
        {"# TYPE a gauge\na 1\n# HELP a x\n# EOF\n", "after its samples"},
        {"# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# HELP a x\n# EOF\n", "not in one block"},
        {"# TYPE a gauge\na 1\na 2\n# EOF\n", "twice"},
        {"# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"1\"} 1\n# EOF\n", "not in one block"},
        {"# TYPE a gauge\na 1 5\na 1 4\n# EOF\n", "go back"},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 1\n# EOF\n", "no +Inf bucket"},
        {"# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n# EOF\n",
         "not cumulative"},
        {"# TYPE a info\n# UNIT a x\n# EOF\n", "unit"},
        {"# TYPE a info\na_info 2\n# EOF\n", "not 1"},
        {"# TYPE a stateset\na{a=\"x\"} 2\n# EOF\n", "neither 0 nor 1"},
        {"# TYPE a_total gauge\n# TYPE a counter\n# EOF\n", "clashes"},
        {"# TYPE a gauge\na{b=\"c\",} 1\n# EOF\n", "comma before"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_FALSE(strict(c.text));
        if (c.want != "unit") {
            EXPECT_EQ(why(parse(c.text)), "read");
            EXPECT_THAT(why(strict(c.text)), ::testing::HasSubstr(c.want));
        }
    }
}

TEST(OpenMetrics, StrictTakesSeveralPointsOfAHistogram) {
    const auto result = strict(
        "# TYPE a histogram\n"
        "a_bucket{le=\"1\"} 1 1\na_bucket{le=\"+Inf\"} 2 1\na_count 2 1\na_sum 3 1\n"
        "a_bucket{le=\"1\"} 1 2\na_bucket{le=\"+Inf\"} 3 2\na_count 3 2\na_sum 5 2\n# EOF\n");
    EXPECT_TRUE(result) << why(result);
}

TEST(OpenMetrics, AgreesWithTheParserTests) {
    const auto folder = testing::conformance_dir("openmetrics");
    if (!folder) {
        return;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "parsers")) {
        const std::string name = entry.path().filename();
        SCOPED_TRACE(name);
        const auto description =
            JsonDocument::parse(testing::read_file(entry.path() / "test.json"));
        ASSERT_TRUE(description);
        const auto wanted = description->root().member("shouldParse");
        ASSERT_TRUE(wanted);
        const bool good = wanted->kind() == JsonValue::Kind::kTrue;
        const std::string text = testing::read_file(entry.path() / "metrics");
        const auto result = strict(text);
        EXPECT_EQ(result.has_value(), good) << text << why(result);
        if (good) {
            EXPECT_TRUE(parse(text));
        }
        ++count;
    }
    EXPECT_GT(count, 80U);
}

TEST(OpenMetrics, RefusesWhatPrometheusRefuses) {
    const auto folder = testing::conformance_dir("openmetrics");
    if (!folder) {
        return;
    }
    ConformanceTable table(*folder / "prometheus-TestOpenMetricsParseErrors.json");
    const std::size_t count = table.for_each_case([](JsonValue c) {
        // "EOF" is how that parser says that all was read.
        const bool good = text_of(c.member("err")) == "EOF";
        const auto result = parse(text_of(c.member("input")));
        EXPECT_EQ(result.has_value(), good) << text_of(c.member("input")) << why(result);
    });
    EXPECT_GT(count, 20U);
}

TEST(OpenMetrics, BuildsTheLabelsThatPrometheusBuilds) {
    const auto folder = testing::conformance_dir("openmetrics");
    if (!folder) {
        return;
    }
    std::size_t compared = 0;
    ConformanceTable table(*folder / "prometheus-TestOpenMetricsParse.json");
    table.for_each_case([&](JsonValue c) {
        const std::string series = text_of(c.member("m"));
        const auto want =
            c.member("lset") ? c.member("lset")->at(*JsonPointer::parse("/_args/1")) : std::nullopt;
        if (!want || text_of(want->member("_call")) != "labels.FromStrings") {
            return;
        }
        std::string type = "unknown";
        std::string family = series.substr(0, series.find('{'));
        for (const char* suffix :
             {"_bucket", "_sum", "_count", "_total", "_info", "_gsum", "_gcount"}) {
            if (family.ends_with(suffix)) {
                family.resize(family.size() - std::string_view(suffix).size());
                break;
            }
        }
        if (series.find("quantile=") != std::string::npos) {
            type = "summary";
        } else if (series.find("le=") != std::string::npos) {
            type = "histogram";
        }
        const auto result = parse("# TYPE " + family + " " + type + "\n" + series + " 1\n# EOF\n");
        ASSERT_TRUE(result) << why(result);
        std::vector<std::string> words;
        want->member("_args")->for_each(
            [&](std::string_view, JsonValue word) { words.emplace_back(word.string()); });
        std::vector<model::Label> labels;
        for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
            // Labels of a feature that adds a family's unit.
            if (words[i] != "__unit__") {
                labels.push_back({words[i], words[i + 1]});
            }
        }
        EXPECT_EQ(result->samples.at(0).labels.to_string(),
                  model::Labels::from(std::move(labels)).to_string());
        ++compared;
    });
    EXPECT_GT(compared, 10U);
}

}  // namespace
}  // namespace kpid::wire
