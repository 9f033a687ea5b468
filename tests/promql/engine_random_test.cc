// Random expressions over random series, from seed to seed.

#include "kpid/promql/parser.h"
#include "support/effort.h"
#include "support/engine_check.h"
#include "support/expression_generator.h"
#include "support/random_series.h"

#include <gtest/gtest.h>

#include <string>

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
