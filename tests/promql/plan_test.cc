// Plans against queries that keep nothing, while series come, grow, change and go.

#include "kpid/promql/engine.h"
#include "kpid/promql/parser.h"
#include "kpid/storage/storage.h"
#include "support/effort.h"
#include "support/expression_generator.h"
#include "support/faulty_log.h"
#include "support/random_series.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kpid::promql {
namespace {

using testing::Dice;

constexpr std::uint64_t kSeeds = 60;
constexpr std::uint64_t kSeedsFull = 6'000;
constexpr std::size_t kPlans = 12;

// The answer for people, in order of labels; errors are answers.
std::string show(const Result<QueryResult>& answer) {
    if (!answer) {
        return "error: " + answer.error().message;
    }
    std::string text;
    if (const auto* scalar = std::get_if<Scalar>(&answer->value)) {
        text = fmt::format("scalar {}", scalar->value);
    } else {
        std::map<model::Labels, double> found;
        for (const VectorSample& sample : std::get<Vector>(answer->value)) {
            found.insert_or_assign(sample.labels, sample.value);
        }
        for (const auto& [labels, value] : found) {
            text += fmt::format("{} {}\n", labels.to_string(), std::isnan(value) ? NAN : value);
        }
    }
    for (const std::string& one : answer->warnings) {
        text += one + "\n";
    }
    for (const std::string& one : answer->infos) {
        text += one + "\n";
    }
    return text;
}

// One storage, and plans that are asked as time goes on.
class PlanRun {
public:
    explicit PlanRun(std::uint64_t seed) : dice_(seed) {
        const auto interval = std::chrono::seconds(1 + dice_.below(40));
        samples_ = testing::random_samples(dice_, 30 + dice_.below(40), interval);
        for (model::SeriesSample& sample : samples_) {
            // Some come late.
            const Duration delay =
                interval * static_cast<std::int64_t>(dice_.below(6) == 0 ? dice_.below(9) : 0);
            arrivals_.emplace(sample.time + delay, &sample);
        }
        now_ = arrivals_.begin()->first;
        auto opened = storage::Storage::open(
            {.path = "/plans", .kept_samples_max = dice_.below(3) == 0 ? 200U : 100'000U},
            disk_.opener());
        EXPECT_TRUE(opened.has_value());
        storage_ = *std::move(opened);
        ParseOptions language;
        language.experimental_functions = true;
        language.duration_expressions = true;
        testing::ExpressionGenerator generator([&](std::size_t n) { return dice_.below(n); }, {});
        while (asked_.size() < kPlans) {
            std::string text = generator.next();
            ExprPtr expr = *parse_expr(text, language);
            asked_.push_back({std::move(text), Plan(std::move(expr), *storage_)});
        }
    }

    void run(const Engine& engine) {
        while (!arrivals_.empty() && !::testing::Test::HasFailure()) {
            now_ += std::chrono::seconds(1 + dice_.below(60));
            arrive();
            disturb();
            // Now and then a clock goes back.
            const Timestamp time =
                dice_.below(20) == 0 ? now_ - std::chrono::seconds(dice_.below(600)) : now_;
            for (Asked& asked : asked_) {
                QueryContext context;
                context.text = asked.text;
                const auto got = engine.instant(asked.plan, time, context);
                const auto want = engine.instant(asked.plan.expr(), time, *storage_, context);
                EXPECT_EQ(show(got), show(want)) << asked.text << " at " << time.ms();
                answers_ += want ? 1U : 0U;
            }
        }
    }
    [[nodiscard]] std::size_t answers() const { return answers_; }

private:
    struct Asked {
        std::string text;
        Plan plan;
    };

    void arrive() {
        std::vector<model::SeriesSample> batch;
        const auto end = arrivals_.upper_bound(now_);
        for (auto arrival = arrivals_.begin(); arrival != end; ++arrival) {
            batch.push_back(*arrival->second);
        }
        arrivals_.erase(arrivals_.begin(), end);
        ASSERT_TRUE(storage_->append({.samples = batch, .now = now_}).has_value());
    }

    void disturb() {
        if (dice_.below(25) == 0) {
            const std::vector<model::Matcher> matchers{
                model::Matcher::equal("host", dice_.below(2) == 0 ? "a" : "b")};
            const Timestamp begin = now_ - std::chrono::seconds(dice_.below(900));
            const model::TimeRange range =
                dice_.below(3) == 0 ? model::TimeRange{} : model::TimeRange{begin, now_};
            ASSERT_TRUE(storage_->delete_series(matchers, range).has_value());
        }
        if (dice_.below(10) == 0) {
            ASSERT_TRUE(storage_->maintain(now_).has_value());
        }
        if (dice_.below(10) == 0) {
            ASSERT_TRUE(storage_->checkpoint(now_).has_value());
        }
    }

    Dice dice_;
    testing::FaultyDisk disk_;
    std::vector<model::SeriesSample> samples_;
    std::multimap<Timestamp, const model::SeriesSample*> arrivals_;
    Timestamp now_;
    std::unique_ptr<storage::Storage> storage_;
    std::vector<Asked> asked_;  // Gone before the storage.
    std::size_t answers_ = 0;
};

TEST(Plan, AnswersAsAQueryThatKeepsNothing) {
    InlineExecutor executor;
    std::size_t answers = 0;
    const std::uint64_t first = testing::first_seed();
    const std::uint64_t count = testing::effort(kSeeds, kSeedsFull);
    for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
        SCOPED_TRACE("KPID_TEST_SEED=" + std::to_string(seed));
        EngineOptions options;
        options.lookback = std::chrono::seconds(30 + seed % 300);
        options.delayed_name_removal = seed % 4 == 0;
        const Engine engine(options, executor);
        PlanRun run(seed);
        run.run(engine);
        answers += run.answers();
    }
    EXPECT_GT(answers, count * kPlans);
}

}  // namespace
}  // namespace kpid::promql
