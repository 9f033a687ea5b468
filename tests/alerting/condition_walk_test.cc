// Walks of one KPI instance through its levels: waiting, supersession, keeping, unknown values.
#include "condition_fixture.h"

namespace kpid::alerting {
namespace {

class ConditionWalkTest : public ConditionFixture {};

TEST_F(ConditionWalkTest, FiresAtOnceWithoutAWaitAndEndsResolved) {
    EXPECT_EQ(walk(0, Zone::kGood), "");
    EXPECT_EQ(walk(1, Zone::kWarning), "started warning");
    EXPECT_EQ(transitions_[0].alert.starts_at, at(1));
    EXPECT_EQ(walk(2, Zone::kWarning), "");
    EXPECT_EQ(walk(3, Zone::kGood), "ended warning resolved");
    EXPECT_EQ(transitions_[0].alert.starts_at, at(1));
    EXPECT_EQ(transitions_[0].alert.ends_at, at(3));
    EXPECT_EQ(active(), "");
}

TEST_F(ConditionWalkTest, WaitsForItsHoldFromTheFirstActiveEvaluation) {
    warning_hold_ = minutes(5);
    EXPECT_EQ(walk(0, Zone::kWarning), "");
    EXPECT_EQ(active(), "warning pending");
    EXPECT_EQ(walk(4, Zone::kGood), "");
    EXPECT_EQ(active(), "");
    EXPECT_EQ(walk(5, Zone::kWarning), "") << "it begins anew";
    EXPECT_EQ(walk(9, Zone::kWarning), "");
    EXPECT_EQ(walk(10, Zone::kWarning), "started warning");
    EXPECT_EQ(alerts_.active().at(0).active_at, at(5));
}

TEST_F(ConditionWalkTest, SupersedesInOneUpdateTheEndFirst) {
    walk(0, Zone::kWarning);
    const std::string warning = transitions_[0].alert.fingerprint();
    EXPECT_EQ(walk(1, Zone::kCritical), "ended warning superseded, started critical");
    EXPECT_EQ(transitions_[0].alert.fingerprint(), warning);
    EXPECT_EQ(transitions_[0].alert.kpi->superseded_by, transitions_[1].alert.fingerprint());
    EXPECT_EQ(transitions_[1].alert.kpi->superseded_by, "");
    EXPECT_EQ(active(), "critical firing");
    EXPECT_EQ(walk(2, Zone::kWarning), "ended critical superseded, started warning");
    EXPECT_EQ(transitions_[0].alert.kpi->superseded_by, warning);
    EXPECT_EQ(transitions_[1].alert.starts_at, at(2));
    EXPECT_EQ(walk(3, Zone::kGood), "ended warning resolved");
}

TEST_F(ConditionWalkTest, WarningKeepsFiringWhileCriticalIsPending) {
    critical_hold_ = minutes(2);
    EXPECT_EQ(walk(0, Zone::kWarning), "started warning");
    EXPECT_EQ(walk(1, Zone::kCritical), "");
    EXPECT_EQ(active(), "critical pending, warning firing");
    EXPECT_EQ(walk(2, Zone::kCritical), "");
    EXPECT_EQ(walk(3, Zone::kCritical), "ended warning superseded, started critical");
}

TEST_F(ConditionWalkTest, WarningFiresFirstWhenTheValueFallsThrough) {
    critical_hold_ = minutes(2);
    EXPECT_EQ(walk(0, Zone::kCritical), "started warning");
    EXPECT_EQ(walk(2, Zone::kCritical), "ended warning superseded, started critical");
}

TEST_F(ConditionWalkTest, FromCriticalToWarningNoSecondHoldIsWaitedFor) {
    warning_hold_ = minutes(15);
    EXPECT_EQ(walk(0, Zone::kCritical), "started critical");
    EXPECT_EQ(active(), "critical firing") << "warning waits unseen";
    EXPECT_EQ(walk(1, Zone::kWarning), "ended critical superseded, started warning");
    EXPECT_EQ(walk(2, Zone::kGood), "ended warning resolved");
    EXPECT_EQ(walk(3, Zone::kWarning), "") << "this is a new one";
}

TEST_F(ConditionWalkTest, ACriticalThatNeverFiredDoesNotShortenTheWarning) {
    warning_hold_ = minutes(5);
    critical_hold_ = minutes(5);
    EXPECT_EQ(walk(0, Zone::kCritical), "");
    EXPECT_EQ(walk(1, Zone::kWarning), "");
    EXPECT_EQ(walk(4, Zone::kWarning), "");
    EXPECT_EQ(walk(5, Zone::kWarning), "started warning") << "critical's time counts for it";
}

TEST_F(ConditionWalkTest, KeepsFiringForAWhile) {
    keep_firing_for_ = minutes(3);
    walk(0, Zone::kWarning);
    EXPECT_EQ(walk(1, Zone::kGood), "");
    EXPECT_EQ(walk(3, Zone::kGood), "");
    EXPECT_EQ(active(), "warning firing");
    EXPECT_EQ(walk(3, Zone::kWarning), "");
    EXPECT_EQ(walk(4, Zone::kGood), "") << "counts anew";
    EXPECT_EQ(walk(6, Zone::kGood), "");
    EXPECT_EQ(walk(7, Zone::kGood), "ended warning resolved");
}

TEST_F(ConditionWalkTest, AKeptCriticalHoldsTheWarningBack) {
    keep_firing_for_ = minutes(3);
    walk(0, Zone::kCritical);
    EXPECT_EQ(walk(1, Zone::kWarning), "");
    EXPECT_EQ(active(), "critical firing");
    EXPECT_EQ(walk(4, Zone::kWarning), "ended critical superseded, started warning");
    EXPECT_EQ(walk(5, Zone::kCritical), "ended warning superseded, started critical");
    EXPECT_EQ(walk(6, Zone::kGood), "");
    EXPECT_EQ(walk(9, Zone::kGood), "ended critical resolved");
}

TEST_F(ConditionWalkTest, UnknownValuesLeaveEverythingAsItIs) {
    warning_hold_ = minutes(2);
    walk(0, Zone::kWarning);
    EXPECT_EQ(walk(5, Zone::kUnknown), "");
    EXPECT_EQ(active(), "warning pending");
    EXPECT_EQ(walk(6, Zone::kWarning), "started warning");
    EXPECT_EQ(walk(90, Zone::kUnknown), "");
    EXPECT_EQ(active(), "warning firing");
    EXPECT_EQ(walk(91, Zone::kGood), "ended warning resolved");
}

TEST_F(ConditionWalkTest, OneSeverityForBothLevelsIsOneAlert) {
    warning_severity_ = "page";
    critical_severity_ = "page";
    warning_hold_ = minutes(10);
    EXPECT_EQ(walk(0, Zone::kCritical), "started page") << "the shorter wait";
    EXPECT_EQ(walk(1, Zone::kWarning), "");
    EXPECT_EQ(walk(2, Zone::kCritical), "");
    EXPECT_EQ(walk(3, Zone::kGood), "ended page resolved");
}

TEST_F(ConditionWalkTest, ARenamedSeveritySupersedesItselfWithTheTimeServed) {
    warning_hold_ = minutes(5);
    walk(0, Zone::kWarning);
    walk(5, Zone::kWarning);
    warning_severity_ = "ticket";
    EXPECT_EQ(walk(6, Zone::kWarning), "ended warning superseded, started ticket");
    EXPECT_EQ(alerts_.active().at(0).active_at, at(0));
}

TEST_F(ConditionWalkTest, ALevelThatIsNoLongerDefinedEndsAsRemoved) {
    critical_hold_ = minutes(60);
    walk(0, Zone::kCritical);
    with_warning_ = false;
    EXPECT_EQ(walk(1, Zone::kCritical), "ended warning removed");
    EXPECT_EQ(active(), "critical pending");
    EXPECT_EQ(walk(60, Zone::kCritical), "started critical") << "its own time was served";
}

}  // namespace
}  // namespace kpid::alerting
