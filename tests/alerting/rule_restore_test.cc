// Alerting rules over a restart: by their own snapshot, and by stored ALERTS_FOR_STATE.
#include "rule_fixture.h"

#include <limits>

namespace kpid::alerting {
namespace {

class RuleRestoreTest : public RuleFixture {
protected:
    void restart() {
        const std::string snapshot = state_.snapshot();
        Result<RuleState> restored = RuleState::restore(snapshot);
        ASSERT_TRUE(restored) << restored.error().message;
        ASSERT_EQ(restored->snapshot(), snapshot);
        state_ = *std::move(restored);
    }
    /// A start without a snapshot at minute 100, when the stored state says active since and last
    /// written.
    void start_from_series(int active_minute, int written_minute) {
        state_ = RuleState(true);
        walk(100, {"a"});
        EXPECT_TRUE(last_.samples.empty()) << "they would overwrite what is to be restored";
        const std::vector<StoredForState> stored{
            {.labels = {{"__name__", "ALERTS_FOR_STATE"}, {"alertname", "down"}, {"job", "a"}},
             .time = at(written_minute),
             .value = at(active_minute).seconds()}};
        state_.restore_for_state(at(100), rule_.hold, stored);
        EXPECT_FALSE(state_.for_state_pending());
    }
    Timestamp active_at() { return state_.active().at(0).active_at; }
};

TEST_F(RuleRestoreTest, GoesOnAsItWas) {
    rule_.hold = minutes(5);
    walk(0, {"a"});
    walk(5, {"a", "b"});
    restart();
    EXPECT_EQ(active(), "a firing");
    EXPECT_EQ(walk(10, {"a", "b"}), "") << "its time begins anew";
    EXPECT_EQ(walk(15, {"a", "b"}), "started b");
    EXPECT_EQ(walk(16, {}), "ended a resolved, ended b resolved");
    restart();
    EXPECT_EQ(state_.ended().size(), 2U);
}

TEST_F(RuleRestoreTest, LeavesWhatFiresAloneWhenTheRestIsRestored) {
    rule_.hold = minutes(30);
    walk(0, {"a"});
    walk(30, {"a", "b"});
    Result<RuleState> restored = RuleState::restore(state_.snapshot(), true);
    ASSERT_TRUE(restored) << restored.error().message;
    state_ = *std::move(restored);
    walk(40, {"a", "b"});
    const auto stored = [](const char* job) {
        return StoredForState{.labels = {{"alertname", "down"}, {"job", job}},
                              .time = at(31),
                              .value = at(1).seconds()};
    };
    state_.restore_for_state(at(40), rule_.hold, std::vector{stored("a"), stored("b")});
    EXPECT_EQ(active(), "a firing, b pending");
    EXPECT_EQ(active_at(), at(0));
    EXPECT_EQ(walk(41, {"a", "b"}), "started b");
}

TEST_F(RuleRestoreTest, HoldsEndsBackUntilSourcesAnswered) {
    walk(0, {"a", "b"});
    restart();
    EXPECT_EQ(walk(1, {}, false), "");
    EXPECT_EQ(active(), "a firing, b firing");
    EXPECT_EQ(walk(2, {"a"}, false), "");
    EXPECT_EQ(walk(3, {}, false), "ended a resolved") << "it was judged since the start";
    EXPECT_EQ(walk(4, {}, true), "ended b resolved");
}

TEST_F(RuleRestoreTest, FiresAtOnceWhenTheTimeWasServedBefore) {
    rule_.hold = minutes(30);
    start_from_series(50, 81);
    EXPECT_EQ(active_at(), at(50));
    EXPECT_EQ(walk(101, {"a"}), "started a");
    EXPECT_EQ(last_.samples.size(), 2U);
}

TEST_F(RuleRestoreTest, DoesNotCountTheOutage) {
    rule_.hold = minutes(60);
    start_from_series(40, 60);
    EXPECT_EQ(active_at(), at(80)) << "twenty of sixty minutes were served";
    EXPECT_EQ(walk(139, {"a"}), "");
    EXPECT_EQ(walk(140, {"a"}), "started a");
}

TEST_F(RuleRestoreTest, WaitsTheGracePeriodWhenLittleIsLeft) {
    rule_.hold = minutes(30);
    start_from_series(60, 85);
    EXPECT_EQ(active_at(), at(80));
    EXPECT_EQ(walk(109, {"a"}), "");
    EXPECT_EQ(walk(110, {"a"}), "started a");
}

TEST_F(RuleRestoreTest, ForgetsWhatIsTooOldOrTooShort) {
    rule_.hold = minutes(30);
    start_from_series(10, 39);
    EXPECT_EQ(active_at(), at(100)) << "longer out than tolerated";
    rule_.hold = minutes(9);
    start_from_series(50, 99);
    EXPECT_EQ(active_at(), at(100)) << "shorter than the grace period";
    EXPECT_EQ(walk(101, {"a"}), "");
    EXPECT_EQ(last_.samples.size(), 2U);
}

TEST_F(RuleRestoreTest, PassesOverWhatItDoesNotKnow) {
    rule_.hold = minutes(30);
    state_ = RuleState(true);
    walk(100, {"a"});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<StoredForState> stored{
        {.labels = {{"alertname", "down"}, {"job", "z"}}, .time = at(99), .value = 1},
        {.labels = {{"alertname", "down"}, {"job", "a"}},
         .time = at(99),
         .value = model::stale_marker()},
        {.labels = {{"alertname", "down"}, {"job", "a"}}, .time = at(99), .value = nan},
        {.labels = {{"alertname", "down"}, {"job", "a"}}, .time = at(99), .value = 1e300},
    };
    state_.restore_for_state(at(100), rule_.hold, stored);
    EXPECT_EQ(active_at(), at(100));
}

TEST_F(RuleRestoreTest, RefusesDamagedStates) {
    rule_.annotations = {{"summary", "\"x\""}};
    walk(0, {"a", "b"});
    walk(1, {"a"});
    const std::string good = state_.snapshot();
    for (std::size_t size = 0; size < good.size(); ++size) {
        const Result<RuleState> restored = RuleState::restore(good.substr(0, size));
        ASSERT_FALSE(restored);
        ASSERT_EQ(restored.error().code, Code::kDataLoss);
    }
    EXPECT_FALSE(RuleState::restore(R"({"version":1,"alerts":[{}]})"));
    EXPECT_FALSE(RuleState::restore(R"({"version":2,"alerts":[]})"));
}

}  // namespace
}  // namespace kpid::alerting
