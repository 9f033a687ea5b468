// What scripts cannot say about the engine: limits, errors, how often storage is asked, depth.

#include "kpid/promql/engine.h"

#include "kpid/promql/parser.h"
#include "support/memory_storage.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace kpid::promql {
namespace {

using ::testing::HasSubstr;

// Counts how often it is asked.
class CountingReader final : public model::Reader {
public:
    explicit CountingReader(const model::Reader& inner) : inner_(inner) {}

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        ++selects;
        last_range = range;
        return inner_.select(matchers, range, options);
    }
    [[nodiscard]] Result<void> visit(std::span<const model::Matcher> matchers,
                                     model::TimeRange range, const model::ReadOptions& options,
                                     const model::SeriesVisitor& take) const override {
        KPID_TRY(std::vector<model::SeriesColumns> selected, select(matchers, range, {}));
        for (model::SeriesColumns& one : selected) {
            if (one.times.size() > options.samples_max) {
                return resource_exhausted("too many samples");
            }
            KPID_CHECK_OK(take(one));
        }
        return {};
    }
    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return inner_.series(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return inner_.label_names(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override {
        return inner_.label_values(name, matchers, range);
    }

    mutable std::size_t selects = 0;
    mutable model::TimeRange last_range;

private:
    const model::Reader& inner_;
};

class EngineTest : public ::testing::Test {
protected:
    void fill(std::string_view name, std::size_t series, std::size_t samples) {
        for (std::size_t s = 0; s < series; ++s) {
            const std::string n = std::to_string(s);
            for (std::size_t i = 0; i < samples; ++i) {
                storage.put({{"__name__", name}, {"n", n}}, minute(i), static_cast<double>(i));
            }
        }
    }
    static Timestamp minute(std::size_t i) {
        return Timestamp(static_cast<std::int64_t>(i) * 60'000);
    }
    static ExprPtr expr(std::string_view text) {
        auto parsed = parse_expr(text, {.experimental_functions = true, .fill_modifiers = true});
        EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
        return parsed ? *parsed : nullptr;
    }
    Result<QueryResult> instant(std::string_view text, EngineOptions options = {},
                                const QueryContext& context = {}) {
        return Engine(options, executor).instant(*expr(text), minute(5), reader, context);
    }
    Result<QueryResult> range(std::string_view text, std::size_t minutes,
                              EngineOptions options = {}) {
        return Engine(options, executor)
            .range(*expr(text), minute(0), minute(minutes), std::chrono::minutes(1), reader);
    }

    kpid::testing::MemoryStorage storage;
    CountingReader reader{storage};
    InlineExecutor executor;
};

TEST_F(EngineTest, AsksStorageOnceForEachSelectorOfARangeQuery) {
    fill("up", 3, 100);
    ASSERT_TRUE(range("sum(rate(up[5m])) / sum(up)", 90).has_value());
    EXPECT_EQ(reader.selects, 2U);
}

TEST_F(EngineTest, AsksForTheSpanOfAllWindowsOpenOnTheLeft) {
    fill("up", 1, 10);
    ASSERT_TRUE(range("rate(up[5m] offset 1m)", 9).has_value());
    EXPECT_EQ(reader.last_range.start, Timestamp(-6 * 60'000 + 1));
    EXPECT_EQ(reader.last_range.end, minute(8));
}

TEST_F(EngineTest, CountsTheSamplesThatStepsAndWindowsLookAt) {
    fill("up", 3, 100);
    struct Case {
        std::string_view text;
        std::vector<std::uint64_t> samples;  // At the minutes 0 to 3.
        std::vector<std::uint64_t> read;
    };
    const std::vector<Case> cases{
        {"1", {0, 0, 0, 0}, {0, 0, 0, 0}},
        {"up", {3, 3, 3, 3}, {3, 3, 3, 3}},
        {"up offset 2m", {0, 0, 3, 3}, {0, 0, 3, 3}},
        {"up @ 60", {3, 3, 3, 3}, {3, 3, 3, 3}},
        {"sum(up) / sum(up)", {6, 6, 6, 6}, {6, 6, 6, 6}},
        {"rate(up[2m])", {3, 6, 6, 6}, {3, 3, 3, 3}},
        {"sum_over_time(up[2m] @ 60)", {6, 6, 6, 6}, {6, 6, 6, 6}},
        {"sum_over_time(rate(up[2m])[2m:1m])", {0, 3, 6, 6}, {0, 3, 3, 3}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        QueryStatistics counts;
        const auto answer = Engine({}, executor)
                                .range(*expr(c.text), minute(0), minute(3), std::chrono::minutes(1),
                                       reader, {.statistics = &counts});
        ASSERT_TRUE(answer.has_value());
        EXPECT_EQ(counts.samples_per_step, c.samples);
        EXPECT_EQ(counts.read_per_step, c.read);
        EXPECT_GT(counts.samples_peak, 0U);
    }
    // A subquery that is the query itself: what was looked at below it.
    QueryStatistics counts;
    ASSERT_TRUE(instant("rate(up[2m])[2m:1m]", {}, {.statistics = &counts}).has_value());
    EXPECT_EQ(counts.samples_per_step, std::vector<std::uint64_t>{12});
}

TEST_F(EngineTest, TheTypeOfTheAnswerIsThatOfTheExpression) {
    fill("up", 1, 10);
    struct Case {
        std::string_view text;
        std::string_view type;
    };
    for (const Case& c : {Case{"1", "scalar"}, Case{"'x'", "string"}, Case{"up", "vector"},
                          Case{"up[5m]", "matrix"}, Case{"(up[5m:1m])", "matrix"}}) {
        SCOPED_TRACE(c.text);
        const auto answer = instant(c.text);
        ASSERT_TRUE(answer.has_value());
        EXPECT_EQ(value_type_name(answer->value), c.type);
    }
    const auto scalar_range = range("1", 3);
    ASSERT_TRUE(scalar_range.has_value());
    EXPECT_EQ(std::get<Matrix>(scalar_range->value).at(0).points.size(), 4U);
}

TEST_F(EngineTest, RangeQueriesRefuseFramesThatMakeNoSense) {
    const Engine engine({}, executor);
    const auto up = expr("up");
    const auto code = [&](const Expr& e, Timestamp start, Timestamp end, Duration step) {
        const auto answer = engine.range(e, start, end, step, reader);
        return answer ? Code::kInternal : answer.error().code;
    };
    EXPECT_EQ(code(*up, minute(2), minute(1), Duration(1)), Code::kInvalidArgument);
    EXPECT_EQ(code(*up, minute(1), minute(2), Duration(0)), Code::kInvalidArgument);
    EXPECT_EQ(code(*up, minute(0), minute(11), Duration(1)), Code::kInvalidArgument);
    EXPECT_EQ(code(*up, Timestamp::min(), Timestamp::max(), Duration(1)), Code::kInvalidArgument);
    EXPECT_EQ(code(*expr("up[5m]"), minute(0), minute(1), Duration(1000)), Code::kInvalidArgument);
    EXPECT_EQ(code(*expr("'x'"), minute(0), minute(1), Duration(1000)), Code::kInvalidArgument);
    EXPECT_TRUE(engine.range(*up, minute(1), minute(1), Duration(0), reader).has_value());
}

TEST_F(EngineTest, LimitsTheSamplesThatAQueryHolds) {
    fill("up", 10, 100);
    const EngineOptions tight{.samples_max = 500};
    for (const std::string_view text :
         {"up[2h]", "vector(1)[1y:1ms]", "sum_over_time(vector(1)[1d:1m])"}) {
        SCOPED_TRACE(text);
        const auto answer = Engine(tight, executor).instant(*expr(text), minute(99), reader);
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().code, Code::kUnprocessable);
        EXPECT_THAT(answer.error().message, HasSubstr("too many samples"));
    }
    // Scalars count as well: each level of the tree holds one for every step.
    EXPECT_FALSE(range("1 + (1 + (1 + (1 + (1 + (1 + time())))))", 99, tight).has_value());
    // 10 series with 100 values each, though only 10 × 5 are read for each step.
    EXPECT_FALSE(range("up", 99, tight).has_value());
    EXPECT_TRUE(range("up", 20, tight).has_value());
}

TEST_F(EngineTest, AnAggregationHoldsNeitherSamplesNorRowsOfAllSeries) {
    fill("up", 100, 60);
    for (const std::string_view text :
         {"sum(rate(up[5m]))", "avg by (name) (up)", "max(last_over_time(up[10m]))",
          "sum(count_over_time(up[2h] @ 3540))"}) {
        SCOPED_TRACE(text);
        const auto tight = range(text, 59, {.samples_max = 1000});
        ASSERT_TRUE(tight.has_value());
        const auto& series = std::get<Matrix>(tight->value);
        ASSERT_EQ(series.size(), 1U);
        EXPECT_GT(series[0].points.size(), 50U);
        const auto whole = range(text, 59);
        EXPECT_EQ(std::get<Matrix>(whole->value)[0].points.back().value,
                  series[0].points.back().value);
    }
    EXPECT_FALSE(range("rate(up[5m])", 59, {.samples_max = 1000}).has_value());
}

TEST_F(EngineTest, AFinishedPartGivesItsSamplesBack) {
    fill("up", 10, 20);
    // Each sum reads 10 × 6 samples; one after the other they need no more than one alone.
    EXPECT_TRUE(instant("sum(up) + sum(up) + sum(up) + sum(up) + sum(up)", {.samples_max = 100})
                    .has_value());
}

TEST_F(EngineTest, StopsWhenItIsToldTo) {
    fill("up", 3, 10);
    std::stop_source source;
    source.request_stop();
    QueryContext context;
    context.stop = source.get_token();
    const auto answer = instant("sum(up)", {}, context);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::kCancelled);
}

TEST_F(EngineTest, AQueryMayHaveItsOwnLookback) {
    fill("up", 1, 1);
    EXPECT_TRUE(std::get<Vector>(instant("up")->value).empty());
    QueryContext context;
    context.lookback = std::chrono::minutes(10);
    EXPECT_EQ(std::get<Vector>(instant("up", {}, context)->value).size(), 1U);
}

TEST_F(EngineTest, NamesWhatIsNotSupportedYet) {
    fill("up", 2, 10);
    struct Case {
        std::string_view text;
        std::string_view message;
    };
    for (const Case& c : {Case{"start_timestamp(up)", "function \"start_timestamp\""},
                          Case{"info(up)", "function \"info\""}, Case{"up + fill(0) up", "fill"}}) {
        SCOPED_TRACE(c.text);
        const auto answer = instant(c.text);
        ASSERT_FALSE(answer.has_value());
        EXPECT_EQ(answer.error().code, Code::kUnsupported);
        EXPECT_THAT(answer.error().message, HasSubstr(c.message));
    }
}

TEST_F(EngineTest, AnnotationsNameTheirPlaceInTheText) {
    fill("up", 1, 10);
    const std::string_view text = "sum(\n  rate(up[5m]))";
    QueryContext context;
    context.text = text;
    const auto answer = instant(text, {}, context);
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->infos.size(), 1U);
    EXPECT_THAT(answer->infos[0], HasSubstr("\"up\" (2:8)"));
    EXPECT_TRUE(answer->warnings.empty());
}

TEST_F(EngineTest, TheEndsOfTimeDoNoHarm) {
    fill("up", 1, 10);
    const Engine engine({}, executor);
    for (const Timestamp time : {Timestamp::min(), Timestamp::max()}) {
        for (const std::string_view text :
             {"up", "up offset 1y", "up offset -1y", "rate(up[100y])", "up[1y:1h] offset 100y",
              "hour()", "timestamp(up + 1)", "time()"}) {
            SCOPED_TRACE(text);
            (void)engine.instant(*expr(text), time, reader);
        }
    }
}

TEST_F(EngineTest, EvaluatesTheDeepestTreesThatParse) {
    fill("up", 1, 10);
    std::string parens = "up";
    std::string signs = "up";
    std::string calls = "up";
    std::string sums = "up";
    std::string totals = "up";
    std::string numbers = "1";
    std::string windows = "up";
    for (std::size_t i = 0; i + 10 < kExprDepthMax; ++i) {
        parens = "(" + parens + ")";
        signs = "-" + signs;
        calls = "abs(" + calls + ")";
        sums += " + up";
        totals = "sum(" + totals + ")";
        if (i % 2 == 0) {  // Two levels each.
            numbers = "1 + (" + numbers + ")";
            windows = "max_over_time(" + windows + "[1m:1m])";
        }
    }
    for (const std::string& text :
         {parens, signs, calls, sums, totals, windows, "up + (" + numbers + ")"}) {
        SCOPED_TRACE(text.substr(0, 20));
        const auto answer = instant(text);
        ASSERT_TRUE(answer.has_value()) << answer.error().message;
        EXPECT_EQ(std::get<Vector>(answer->value).size(), 1U);
        EXPECT_TRUE(range(text, 3).has_value());
    }
}

// Runs the parts of one call on several threads.
class ThreadedExecutor final : public Executor {
public:
    void execute(std::function<void()> task) override { task(); }
    void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) override {
        ++loops;
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < concurrency(); ++t) {
            threads.emplace_back([&, t] {
                for (std::size_t i = t; i < count; i += concurrency()) {
                    body(i);
                }
            });
        }
    }
    [[nodiscard]] std::size_t concurrency() const override { return 3; }

    std::size_t loops = 0;
};

TEST_F(EngineTest, ReadsWhatAnExpressionSaysTwiceOnce) {
    fill("up", 3, 20);
    fill("hits_total", 3, 20);
    struct Case {
        std::string text;
        std::size_t reads;
    };
    for (const auto& [text, reads] : {
             Case{"up + up * up", 1},
             {"sum(up) / (sum(up) + sum by (n) (up) * on() group_left() vector(1))", 1},
             {"rate(hits_total[5m]) / ignoring(n) group_left() sum(rate(hits_total[5m]))", 1},
             {"avg_over_time(up[5m]) > avg_over_time(up[5m]) * 0.5", 1},
             {"up - up offset 1m", 2},
             {"rate(up[5m]) / rate(up[4m])", 2},
             {"up + on(n) sum_over_time(up[3m:1m])", 2},
             {"up == up or up != up", 1},
             {"rate(up[5m]) / rate(up[5m])", 2},  // An info is said at both places.
         }) {
        SCOPED_TRACE(text);
        reader.selects = 0;
        ASSERT_TRUE(instant(text).has_value());
        EXPECT_EQ(reader.selects, reads);
        reader.selects = 0;
        ASSERT_TRUE(range(text, 5).has_value());
        EXPECT_EQ(reader.selects, reads);
    }
    const auto answer = instant("up + up * up");
    for (const VectorSample& sample : std::get<Vector>(answer->value)) {
        EXPECT_EQ(sample.value, 5.0 + 5.0 * 5.0);
    }
}

TEST_F(EngineTest, DropsNamesOfWhatIsStreamedAtOnePlaceAndHeldForAnother) {
    fill("hits_total", 3, 20);
    const auto answer = instant("sum(rate(hits_total[5m])) or rate(hits_total[5m])");
    ASSERT_TRUE(answer.has_value());
    const auto& vector = std::get<Vector>(answer->value);
    EXPECT_EQ(vector.size(), 4U);
    for (const VectorSample& sample : vector) {
        EXPECT_EQ(sample.labels.metric_name(), "") << sample.labels.to_string();
    }
}

TEST_F(EngineTest, NeedsNoMoreRoomForWhatAnExpressionSaysTwice) {
    fill("big", 100, 100);
    fill("hits_total", 100, 100);
    for (const std::string text :
         {"sum(big) / count(big)", "sum(rate(hits_total[5m])) / max(rate(hits_total[5m]))"}) {
        SCOPED_TRACE(text);
        EngineOptions options;
        options.samples_max = 3'000;  // All rows have 10,000 values.
        const auto answer = range(text, 99, options);
        ASSERT_TRUE(answer.has_value()) << answer.error().message;
        EXPECT_EQ(std::get<Matrix>(answer->value).size(), 1U);
    }
}

TEST_F(EngineTest, GivesTheSameWithSeveralThreads) {
    fill("hits_total", 600, 80);
    ThreadedExecutor threads;
    const auto query = expr("rate(hits_total[5m])");
    const auto alone =
        Engine({}, executor).range(*query, minute(0), minute(79), Duration(60'000), reader);
    const auto shared =
        Engine({}, threads).range(*query, minute(0), minute(79), Duration(60'000), reader);
    ASSERT_TRUE(alone.has_value() && shared.has_value());
    EXPECT_GT(threads.loops, 0U);
    const auto& a = std::get<Matrix>(alone->value);
    const auto& b = std::get<Matrix>(shared->value);
    ASSERT_EQ(a.size(), 600U);
    ASSERT_EQ(b.size(), 600U);
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].labels, b[i].labels);
        EXPECT_EQ(a[i].points.size(), b[i].points.size());
    }
}

}  // namespace
}  // namespace kpid::promql
