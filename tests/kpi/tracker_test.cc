// Statuses, hysteresis, moving bounds, require, reloads, limits and restarts.
#include "tracker_fixture.h"

#include <limits>

namespace kpid::kpi {
namespace {

class TrackerTest : public TrackerFixture {};

TEST_F(TrackerTest, LooksAtCriticalThenWarningThenTarget) {
    kpi_.warning = Level{.condition = above(2)};
    kpi_.critical = Level{.condition = above(5)};
    EXPECT_EQ(judge(0, 1), Status::kOnTarget);
    EXPECT_EQ(judge(1, 1.5), Status::kOffTarget);
    EXPECT_EQ(judge(2, 2), Status::kOffTarget);
    EXPECT_EQ(judge(3, 2.1), Status::kWarning);
    EXPECT_EQ(judge(4, 5), Status::kWarning);
    EXPECT_EQ(judge(5, 5.1), Status::kCritical);
    EXPECT_EQ(active(), "threshold/warning threshold/critical");
    EXPECT_EQ(judge(6, 1), Status::kOnTarget);
    EXPECT_EQ(active(), "");
    EXPECT_TRUE(instance().judged);
}

TEST_F(TrackerTest, LeavesALevelWhenItsRecoverHolds) {
    EXPECT_EQ(judge(0, 0.9), Status::kOnTarget);
    EXPECT_EQ(judge(1, 1.1), Status::kWarning);
    EXPECT_EQ(judge(2, 0.9), Status::kWarning);
    EXPECT_EQ(judge(3, 0.8), Status::kOnTarget);
    EXPECT_EQ(judge(4, 0.9), Status::kOnTarget);
    EXPECT_EQ(judge(5, 6), Status::kCritical);
    EXPECT_EQ(judge(6, 4.5), Status::kCritical);
    EXPECT_EQ(judge(7, 4), Status::kWarning);
    EXPECT_EQ(judge(8, 0.9), Status::kWarning);
    EXPECT_EQ(judge(9, 0.1), Status::kOnTarget);
}

TEST_F(TrackerTest, RemembersWhenAStatusBeganAndWhatWasBefore) {
    judge(0, 0.5);
    EXPECT_TRUE(instance().changed);
    judge(1, 2);
    judge(2, 3);
    EXPECT_EQ(instance().since, at(1));
    EXPECT_EQ(instance().previous, Status::kOnTarget);
    EXPECT_FALSE(instance().changed);
    EXPECT_EQ(report_.status, Status::kWarning);
    EXPECT_EQ(report_.since, at(1));
    judge(3, 0.5);
    EXPECT_EQ(instance().previous, Status::kWarning);
    EXPECT_EQ(instance().since, at(3));
}

TEST_F(TrackerTest, IsUntargetedWithoutTargetAndLevel) {
    kpi_ = Definition{.id = "plain"};
    EXPECT_EQ(judge(0, 5), Status::kUntargeted);
    kpi_.warning = Level{.condition = above(10)};
    EXPECT_EQ(judge(1, 5), Status::kUntargeted);
    EXPECT_EQ(judge(2, 11), Status::kWarning);
}

TEST_F(TrackerTest, MissingTheTargetIsAWarningByDefault) {
    kpi_.warning = {};
    kpi_.critical = {};
    EXPECT_EQ(judge(0, 1.1), Status::kWarning);
    EXPECT_EQ(judge(1, 1), Status::kOnTarget);
    kpi_.warning = NoLevel{};
    EXPECT_EQ(judge(2, 1.1), Status::kOffTarget);
    EXPECT_EQ(active(), "");
}

TEST_F(TrackerTest, JudgesInstancesByThemselvesAndTheKpiByTheWorst) {
    const model::Labels de{{"shop", "de"}};
    const model::Labels at_shop{{"shop", "at"}};
    kpi_.overrides = {Override{.match = {model::Matcher::equal("shop", "at")},
                               .target = at_most(10),
                               .warning = LevelPatch{.none = true},
                               .critical = LevelPatch{.none = true}}};
    evaluate(0, Values{{de, 6}, {at_shop, 6}});
    EXPECT_EQ(instance(de).status, Status::kCritical);
    EXPECT_EQ(instance(at_shop).status, Status::kOnTarget);
    EXPECT_EQ(report_.status, Status::kCritical);
    EXPECT_EQ(report_.instances.front().labels, at_shop);
}

TEST_F(TrackerTest, DoesNotJudgeAConditionWhoseBoundHasNoAnswer) {
    kpi_.bound_exprs = {"limit"};
    kpi_.critical = Level{.condition = {.op = Operator::kAbove, .a = ExprBound{0}}};
    EXPECT_EQ(judge(0, 6), Status::kWarning);
    EXPECT_EQ(report_.bounds_missing, 1U);
    EXPECT_EQ(instance().critical, std::nullopt);
    bounds_ = {5.0};
    EXPECT_EQ(judge(1, 6), Status::kCritical);
    EXPECT_EQ(report_.bounds_missing, 0U);
    EXPECT_EQ(instance().critical->a, 5);
    bounds_ = {std::numeric_limits<double>::quiet_NaN()};
    EXPECT_EQ(judge(2, 3), Status::kCritical) << "nothing says that it is over";
    EXPECT_EQ(judge(3, 0.5), Status::kOnTarget) << "the target is met";
    EXPECT_EQ(judge(4, 6), Status::kWarning);
}

TEST_F(TrackerTest, MovingTargetsWithoutAnswerSayNothing) {
    kpi_ = Definition{.target = Condition{.op = Operator::kAtLeast, .a = ExprBound{0}},
                      .warning = NoLevel{}};
    EXPECT_EQ(judge(0, 6), Status::kUntargeted);
    bounds_ = {6.0};
    EXPECT_EQ(judge(1, 6), Status::kOnTarget);
    bounds_ = {7.0};
    EXPECT_EQ(judge(2, 6), Status::kOffTarget);
}

TEST_F(TrackerTest, IsUnsureWhenTooLittleIsBehindTheNumber) {
    kpi_.require = Require{.expr = "answers", .condition = at_least(30)};
    EXPECT_EQ(judge(0, 9), Status::kUnsure);
    EXPECT_EQ(active(), "");
    require_ = 29;
    EXPECT_EQ(judge(1, 9), Status::kUnsure);
    require_ = 30;
    EXPECT_EQ(judge(2, 9), Status::kCritical);
    require_ = 3;
    EXPECT_EQ(judge(3, 0), Status::kUnsure);
    EXPECT_FALSE(instance().judged) << "its alerts stay as they are";
    require_ = 30;
    EXPECT_EQ(judge(4, 4.5), Status::kCritical) << "hysteresis outlasts unsure";
}

TEST_F(TrackerTest, AnErrorChangesNothing) {
    judge(0, 3);
    const Report before = report_;
    const Report& after = evaluate(99, Evaluation{.error = "timeout"});
    EXPECT_TRUE(after.failed);
    EXPECT_EQ(after.instances.at(0).status, before.instances.at(0).status);
    EXPECT_EQ(after.instances.at(0).since, at(0));
    EXPECT_EQ(after.instances.at(0).value, 3);
    EXPECT_FALSE(after.instances.at(0).judged);
    EXPECT_TRUE(after.expired.empty());
}

TEST_F(TrackerTest, AChangedThresholdJudgesAgainAtOnceAndKeepsTheMemory) {
    judge(0, 3);
    kpi_.warning = Level{.condition = above(4)};
    EXPECT_EQ(judge(1, 3), Status::kOffTarget);
    kpi_.warning = Level{.condition = above(2)};
    EXPECT_EQ(judge(2, 3), Status::kWarning);
    kpi_.title = "Another title";
    EXPECT_EQ(judge(3, 3), Status::kWarning);
    EXPECT_EQ(instance().since, at(2));
    kpi_.warning = NoLevel{};
    EXPECT_EQ(judge(4, 3), Status::kOffTarget);
    EXPECT_EQ(active(), "");
}

TEST_F(TrackerTest, KeepsTheWorstBeyondTheLimit) {
    kpi_.limit = 2;
    const model::Labels a{{"i", "a"}};
    const model::Labels b{{"i", "b"}};
    const model::Labels c{{"i", "c"}};
    evaluate(0, Values{{a, 0}, {b, 0}, {c, 9}});
    EXPECT_EQ(report_.hidden, 1U);
    ASSERT_EQ(report_.instances.size(), 2U);
    EXPECT_EQ(instance(a).status, Status::kOnTarget);
    EXPECT_EQ(instance(c).status, Status::kCritical);
    EXPECT_TRUE(report_.expired.empty());

    evaluate(1, Values{{a, 0}, {b, 9}, {c, 9}});
    EXPECT_EQ(report_.hidden, 1U);
    EXPECT_EQ(report_.expired, std::vector{a});
    EXPECT_EQ(instance(b).status, Status::kCritical);

    evaluate(2, Values{{a, 9}, {b, 9}, {c, 9}});
    EXPECT_EQ(report_.instances.at(0).labels, b) << "known ones stay";
}

TEST_F(TrackerTest, ReportsTheNewestSample) {
    Evaluation evaluation;
    evaluation.instances = {InstanceValue{.value = 1, .newest_sample = at(-1)}};
    evaluate(0, evaluation);
    EXPECT_EQ(instance().last_sample, at(-1));
    evaluation.instances[0].newest_sample = at(-3);
    evaluate(1, evaluation);
    EXPECT_EQ(instance().last_sample, at(-1));
}

TEST_F(TrackerTest, TimeThatGoesBackIsTakenAsTheLast) {
    judge(10, 0);
    judge(5, 3);
    EXPECT_EQ(instance().since, at(10));
}

TEST_F(TrackerTest, AStopChangesNothing) {
    judge(0, 0.5);
    judge(1, 6);
    judge(2, 4.5);
    restart(3);
    EXPECT_EQ(judge(4, 4.5), Status::kCritical);
    EXPECT_EQ(instance().since, at(1));
    EXPECT_EQ(instance().previous, Status::kOnTarget);
    EXPECT_EQ(report_.since, at(1));
}

TEST_F(TrackerTest, KnowsWhenThereIsSomethingToStore) {
    EXPECT_TRUE(tracker_.changed_since_snapshot());
    judge(0, 0.5);
    (void)tracker_.snapshot();
    judge(1, 0.6);
    EXPECT_FALSE(tracker_.changed_since_snapshot());
    judge(2, 6);
    EXPECT_TRUE(tracker_.changed_since_snapshot());
}

TEST_F(TrackerTest, RefusesDamagedStates) {
    judge(0, 1e20);
    evaluate(1, Values{{model::Labels{{"shop", "ö\"\n"}}, -1e300}});
    const std::string good = tracker_.snapshot();
    EXPECT_TRUE(Tracker::restore(good, at(1)));
    EXPECT_EQ(Tracker::restore(good, at(1))->snapshot(), good);
    for (std::size_t size = 0; size < good.size(); ++size) {
        const Result<Tracker> restored = Tracker::restore(good.substr(0, size), at(1));
        ASSERT_FALSE(restored);
        EXPECT_EQ(restored.error().code, Code::kDataLoss);
    }
    EXPECT_FALSE(Tracker::restore(R"({"version":2})", at(1)));
    EXPECT_FALSE(Tracker::restore("[]", at(1)));
}

}  // namespace
}  // namespace kpid::kpi
