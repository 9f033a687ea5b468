// How long values hold, what was known when, and events that share an instant.

#include "kpid/promql/engine.h"
#include "kpid/promql/parser.h"
#include "support/memory_storage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

namespace kpid::promql {
namespace {

using std::chrono::minutes;

// `rare` holds for half an hour, `brief` for a minute.
class TestRules final : public ValidFor {
public:
    [[nodiscard]] std::optional<Duration> of(const model::Labels& labels) const override {
        if (labels.get("job") == "rare") {
            return minutes(30);
        }
        return labels.get("job") == "brief" ? std::optional<Duration>(minutes(1)) : std::nullopt;
    }
};

class Validity : public ::testing::Test {
protected:
    static Timestamp minute(int i) { return Timestamp(i * 60'000LL); }
    void put(std::string_view job, int at, double value) {
        storage_.put({{"__name__", "n"}, {"job", job}}, minute(at), value);
    }
    void append(std::string_view name, Timestamp time, double value, Timestamp now,
                model::MetricKind kind) {
        const model::SeriesSample sample{{{"__name__", name}}, time, value};
        const auto result = storage_.append({.samples = {&sample, 1}, .now = now, .kind = kind});
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ(result->accepted, 1U);
    }
    [[nodiscard]] Engine engine() { return {{.valid_for = rules_}, executor_}; }
    /// The value of the one series; NaN when there is none.
    [[nodiscard]] double at(std::string_view text, Timestamp time,
                            const QueryContext& context = {}) {
        const auto expr = parse_expr(text);
        EXPECT_TRUE(expr.has_value());
        const auto result = engine().instant(**expr, time, storage_, context);
        EXPECT_TRUE(result.has_value());
        const auto& vector = std::get<Vector>(result->value);
        return vector.size() == 1 ? vector[0].value : std::nan("");
    }
    [[nodiscard]] bool holds(std::string_view job, Timestamp time,
                             std::optional<Duration> lookback = {}) {
        return !std::isnan(at("n{job=\"" + std::string(job) + "\"}", time, {.lookback = lookback}));
    }

    kpid::testing::MemoryStorage storage_;
    InlineExecutor executor_;
    std::shared_ptr<const ValidFor> rules_ = std::make_shared<TestRules>();
};

TEST_F(Validity, EachSeriesHoldsForAsLongAsItsRuleSays) {
    put("rare", 0, 1);
    put("brief", 0, 1);
    put("other", 0, 1);
    const Duration instant(1);
    EXPECT_TRUE(holds("rare", minute(30) - instant));
    EXPECT_FALSE(holds("rare", minute(30)));
    EXPECT_TRUE(holds("other", minute(5) - instant));
    EXPECT_FALSE(holds("other", minute(5)));
    EXPECT_TRUE(holds("brief", minute(1) - instant));
    EXPECT_FALSE(holds("brief", minute(1)));
    EXPECT_EQ(at("count(n)", minute(2)), 2);
    EXPECT_EQ(at("count(n)", minute(10)), 1);
    rules_ = nullptr;
    EXPECT_FALSE(holds("rare", minute(5)));
}

TEST_F(Validity, AQuerysOwnLookbackIsOnlyLengthened) {
    put("rare", 0, 1);
    put("brief", 0, 1);
    put("other", 0, 1);
    EXPECT_TRUE(holds("rare", minute(20), minutes(10)));
    EXPECT_TRUE(holds("rare", minute(40), minutes(45)));
    EXPECT_TRUE(holds("brief", minute(9), minutes(10)));
    EXPECT_TRUE(holds("other", minute(9), minutes(10)));
    EXPECT_FALSE(holds("other", minute(9), minutes(9)));
}

TEST_F(Validity, TheEndsOfTimeDoNoHarm) {
    put("rare", 0, 1);
    for (const Timestamp time : {Timestamp::min(), Timestamp::max()}) {
        EXPECT_FALSE(holds("rare", time));
        EXPECT_FALSE(holds("rare", time, Duration::max()) && time < minute(0));
    }
}

TEST_F(Validity, AStaleMarkerEndsALongValueToo) {
    put("rare", 0, 1);
    put("rare", 1, model::stale_marker());
    EXPECT_FALSE(holds("rare", minute(2)));
    EXPECT_FALSE(holds("rare", minute(10)));
}

TEST_F(Validity, RangesOffsetsAndRangeQueriesKeepTheirMeaning) {
    put("rare", 0, 1);
    EXPECT_EQ(at("count_over_time(n[10m])", minute(9)), 1);
    EXPECT_TRUE(std::isnan(at("count_over_time(n[10m])", minute(11))));
    EXPECT_EQ(at("n offset 5m", minute(34)), 1);
    EXPECT_EQ(at("n @ 1200", minute(100)), 1);
    EXPECT_EQ(at("count_over_time(n[1h:1m])", minute(60)), 29) << "the first is at minute 1";
    const auto answer =
        engine().range(**parse_expr("n"), minute(0), minute(60), minutes(1), storage_);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(std::get<Matrix>(answer->value).at(0).points.size(), 30U);
}

TEST_F(Validity, AQueryMaySeeWhatWasKnownThen) {
    append("sold", minute(0), 10, minute(1), model::MetricKind::kTotal);
    append("sold", minute(0), 12, minute(3), model::MetricKind::kTotal);
    append("sold", minute(0), 12, minute(4), model::MetricKind::kTotal);
    EXPECT_EQ(at("sold", minute(4)), 12);
    EXPECT_EQ(at("sold", minute(4), {.known_at = minute(2)}), 10);
    EXPECT_EQ(at("sum_over_time(sold[10m])", minute(4), {.known_at = minute(2)}), 10);
    EXPECT_EQ(at("sum_over_time(sold[10m])", minute(4)), 12);
    EXPECT_TRUE(std::isnan(at("sold", minute(4), {.known_at = minute(0)})));
}

TEST_F(Validity, EventsOfOneInstantCountInWindowsAndTheLastIsSeen) {
    append("stars", minute(1), 5, minute(1), model::MetricKind::kEvent);
    append("stars", minute(1), 5, minute(1), model::MetricKind::kEvent);
    append("stars", minute(1), 2, minute(2), model::MetricKind::kEvent);
    EXPECT_EQ(at("stars", minute(2)), 2);
    EXPECT_EQ(at("sum_over_time(stars[5m])", minute(2)), 12);
    EXPECT_EQ(at("count_over_time(stars[5m])", minute(2)), 3);
    EXPECT_EQ(at("avg_over_time(stars[5m])", minute(2)), 4);
    EXPECT_EQ(at("min_over_time(stars[5m])", minute(2)), 2);
    EXPECT_EQ(at("changes(stars[5m])", minute(2)), 1);
    EXPECT_EQ(at("idelta(stars[5m])", minute(2)), -3);
    EXPECT_EQ(at("count_over_time(stars[5m])", minute(2), {.known_at = minute(1)}), 2);
}

TEST_F(Validity, NothingIsSpreadOverNoTime) {
    for (const double value : {1.0, 3.0}) {
        append("stars_total", minute(1), value, minute(1), model::MetricKind::kEvent);
    }
    for (const char* function : {"rate", "increase", "delta", "irate", "deriv"}) {
        SCOPED_TRACE(function);
        EXPECT_TRUE(std::isnan(at(std::string(function) + "(stars_total[5m])", minute(2))));
        const auto expr = parse_expr("count(" + std::string(function) + "(stars_total[5m]))");
        const auto result = engine().instant(**expr, minute(2), storage_);
        ASSERT_TRUE(result.has_value());
        EXPECT_TRUE(std::get<Vector>(result->value).empty()) << "no value at all";
    }
    EXPECT_TRUE(std::isnan(at("predict_linear(stars_total[5m], 60)", minute(2))));
    append("stars_total", minute(2), 4, minute(2), model::MetricKind::kEvent);
    EXPECT_EQ(at("rate(stars_total[5m])", minute(2)) > 0, true);
}

}  // namespace
}  // namespace kpid::promql
