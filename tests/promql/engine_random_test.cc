// Random expressions over random series, from seed to seed.

#include "kpid/promql/parser.h"
#include "support/effort.h"
#include "support/engine_check.h"
#include "support/expression_generator.h"
#include "support/random_series.h"

#include <gtest/gtest.h>

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {
namespace {

using testing::Dice;

constexpr std::uint64_t kSeeds = 400;
constexpr std::uint64_t kSeedsFull = 40'000;

ParseOptions whole_language() {
    ParseOptions options;
    options.experimental_functions = true;
    options.duration_expressions = true;
    return options;
}

// Stops the query that reads from it.
class StoppingReader final : public model::Reader {
public:
    explicit StoppingReader(const model::Reader& reader) : reader_(reader) {}

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        auto selected = reader_.select(matchers, range, options);
        gave_series_ = gave_series_ || (selected && !selected->empty());
        source_.request_stop();
        return selected;
    }
    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return reader_.series(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return reader_.label_names(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override {
        return reader_.label_values(name, matchers, range);
    }

    [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
    [[nodiscard]] bool gave_series() const { return gave_series_; }

private:
    const model::Reader& reader_;
    mutable std::stop_source source_;
    mutable bool gave_series_ = false;
};

TEST(EngineRandom, AStopIsSeenBehindEveryRead) {
    InlineExecutor executor;
    const Engine engine({}, executor);
    testing::MemoryStorage storage;
    Dice dice(testing::first_seed());
    testing::put_random_series(storage, dice, 40, std::chrono::seconds(15));
    testing::ExpressionGenerator generator([&](std::size_t n) { return dice.below(n); }, {});
    std::size_t stopped = 0;
    for (std::uint64_t i = 0; i < kSeeds; ++i) {
        const std::string text = generator.next();
        SCOPED_TRACE(text);
        const auto expr = parse_expr(text, whole_language());
        ASSERT_TRUE(expr.has_value());
        const StoppingReader reader(storage);
        QueryContext context;
        context.stop = reader.token();
        const auto answer = engine.range(**expr, Timestamp(-300'000), Timestamp(0),
                                         std::chrono::seconds(60), reader, context);
        if (reader.gave_series()) {
            ASSERT_FALSE(answer.has_value());
            EXPECT_EQ(answer.error().code, Code::kCancelled) << answer.error().message;
            ++stopped;
        }
    }
    EXPECT_GT(stopped, kSeeds / 2);
}

TEST(EngineRandom, ARangeQuerySaysAtEachStepWhatAnInstantQuerySays) {
    InlineExecutor executor;
    std::size_t answered = 0;
    const std::uint64_t first = testing::first_seed();
    const std::uint64_t count = testing::effort(kSeeds, kSeedsFull);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        SCOPED_TRACE("KPID_TEST_SEED=" + std::to_string(seed));
        Dice dice(seed);
        testing::MemoryStorage storage;
        testing::put_random_series(storage, dice, 20 + dice.below(40),
                                   std::chrono::seconds(1 + dice.below(60)));
        EngineOptions options;
        options.samples_max = dice.below(10) == 0 ? 100 : 200'000;
        options.lookback = std::chrono::seconds(1 + dice.below(300));
        const Engine engine(options, executor);
        const testing::RandomQuery query{Timestamp() - std::chrono::seconds(dice.below(1000)),
                                         std::chrono::milliseconds(1 + dice.below(200'000)),
                                         1 + static_cast<std::int64_t>(dice.below(6))};
        testing::ExpressionGenerator generator([&](std::size_t n) { return dice.below(n); }, {});
        const std::string text = generator.next();
        const auto expr = parse_expr(text, whole_language());
        ASSERT_TRUE(expr.has_value()) << text << ": " << expr.error().message;
        ASSERT_EQ(testing::disagreement(engine, **expr, text, query, storage), "");
        answered += engine.instant(**expr, query.start, storage).has_value() ? 1U : 0U;
    }
    EXPECT_GT(answered * 2, count);  // Mostly they are not refused.
}

}  // namespace
}  // namespace kpid::promql
