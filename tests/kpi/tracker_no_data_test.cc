// What happens when values stay away: stale, no_data, forgotten, expected.
#include "tracker_fixture.h"

#include <limits>

namespace kpid::kpi {
namespace {

class TrackerNoDataTest : public TrackerFixture {
protected:
    const model::Labels de_{{"shop", "de"}};
    const model::Labels at_{{"shop", "at"}};
};

TEST_F(TrackerNoDataTest, IsStaleAtOnceAndWithoutDataAfterAWhile) {
    judge(0, 3);
    evaluate(1, Values{});
    EXPECT_EQ(instance().status, Status::kStale);
    EXPECT_EQ(instance().value, std::nullopt);
    EXPECT_FALSE(instance().judged);
    EXPECT_EQ(active(), "threshold/warning");
    evaluate(14, Values{});
    EXPECT_EQ(instance().status, Status::kStale);
    evaluate(15, Values{});
    EXPECT_EQ(instance().status, Status::kNoData) << "three times valid_for";
    EXPECT_EQ(active(), "threshold/warning no_data/warning");
    EXPECT_FALSE(instance().judged);
    judge(16, 0);
    EXPECT_EQ(instance().status, Status::kOnTarget);
    EXPECT_EQ(active(), "");
}

TEST_F(TrackerNoDataTest, NanIsNoValue) {
    judge(0, 3);
    EXPECT_EQ(judge(1, std::numeric_limits<double>::quiet_NaN()), Status::kStale);
    EXPECT_EQ(judge(20, std::numeric_limits<double>::quiet_NaN()), Status::kNoData);
}

TEST_F(TrackerNoDataTest, FollowsThePolicy) {
    struct Case {
        NoDataStatus policy;
        Status want;
        const char* active;
    };
    const Case cases[] = {
        {NoDataStatus::kNoData, Status::kNoData, "threshold/warning no_data/warning"},
        {NoDataStatus::kKeep, Status::kWarning, "threshold/warning"},
        {NoDataStatus::kOk, Status::kOnTarget, ""},
        {NoDataStatus::kWarning, Status::kWarning, "threshold/warning no_data/warning"},
        {NoDataStatus::kCritical, Status::kCritical, "threshold/warning no_data/critical"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(to_string(c.policy));
        tracker_ = Tracker(at(0));
        kpi_.no_data = NoData{.after = minutes(5), .status = c.policy};
        judge(0, 3);
        evaluate(4, Values{});
        EXPECT_EQ(instance().status, Status::kStale);
        evaluate(5, Values{});
        EXPECT_EQ(instance().status, c.want);
        EXPECT_EQ(active(), c.active);
        EXPECT_EQ(instance().judged, c.policy == NoDataStatus::kOk);
    }
}

TEST_F(TrackerNoDataTest, SaysNothingWhenTheAlertIsNone) {
    kpi_.no_data = NoData{.after = minutes(5), .alert = "none"};
    judge(0, 0);
    evaluate(5, Values{});
    EXPECT_EQ(instance().status, Status::kNoData);
    EXPECT_EQ(active(), "");
}

TEST_F(TrackerNoDataTest, AKpiThatNeverHadAValueJoinsTheList) {
    kpi_.expect = {de_};
    evaluate(0, Values{});
    EXPECT_EQ(report_.status, Status::kNoData);
    EXPECT_FALSE(report_.without_value);
    evaluate(14, Evaluation{.error = "no such metric"});
    EXPECT_FALSE(report_.without_value);
    evaluate(15, Evaluation{.error = "no such metric"});
    EXPECT_TRUE(report_.without_value);
    evaluate(16, Values{});
    EXPECT_TRUE(report_.without_value);
    EXPECT_EQ(active(de_), "") << "it has none of its own";
    evaluate(17, Values{{de_, 1}});
    EXPECT_FALSE(report_.without_value);
    evaluate(99, Values{});
    EXPECT_FALSE(report_.without_value) << "it has its own alert";
    EXPECT_EQ(active(de_), "no_data/warning");
}

TEST_F(TrackerNoDataTest, ForgetsAnInstanceThatIsGone) {
    kpi_.no_data.forget_instance_after = minutes(60);
    evaluate(0, Values{{de_, 0}, {at_, 3}});
    evaluate(59, Values{{de_, 0}});
    EXPECT_EQ(instance(at_).status, Status::kNoData);
    evaluate(60, Values{{de_, 0}});
    EXPECT_EQ(report_.expired, std::vector{at_});
    EXPECT_EQ(report_.instances.size(), 1U);
    evaluate(61, Values{{de_, 0}});
    EXPECT_TRUE(report_.expired.empty());
}

TEST_F(TrackerNoDataTest, DoesNotForgetTheKpiItself) {
    kpi_.no_data.forget_instance_after = minutes(60);
    judge(0, 3);
    evaluate(600, Values{});
    EXPECT_EQ(instance().status, Status::kNoData);
    evaluate(601, Values{{de_, 1}});
    EXPECT_EQ(report_.expired, std::vector{model::Labels{}}) << "others took its place";
}

TEST_F(TrackerNoDataTest, AKpiWhoseInstancesAreAllForgottenHadAValue) {
    kpi_.no_data.forget_instance_after = minutes(60);
    evaluate(0, Values{{de_, 1}});
    evaluate(60, Values{});
    EXPECT_EQ(report_.expired, std::vector{de_});
    EXPECT_EQ(report_.status, Status::kNoData);
    EXPECT_FALSE(report_.without_value);
    evaluate(999, Values{});
    EXPECT_FALSE(report_.without_value) << "the list is of KPIs that never had one";
}

TEST_F(TrackerNoDataTest, ExpectedInstancesAreNotForgottenAndMissedFromTheStart) {
    kpi_.no_data.forget_instance_after = minutes(60);
    kpi_.expect = {de_, at_};
    evaluate(0, Values{{de_, 0}});
    EXPECT_EQ(instance(at_).status, Status::kNoData);
    EXPECT_EQ(active(at_), "");
    evaluate(14, Values{{de_, 0}});
    EXPECT_EQ(active(at_), "");
    evaluate(15, Values{{de_, 0}});
    EXPECT_EQ(active(at_), "no_data/warning");
    evaluate(999, Values{});
    EXPECT_EQ(active(de_), "no_data/warning");
    EXPECT_EQ(report_.instances.size(), 2U);
    kpi_.expect = {de_};
    evaluate(1000, Values{});
    EXPECT_EQ(report_.expired, std::vector{at_}) << "not expected any more";
}

TEST_F(TrackerNoDataTest, AnInstanceWithMoreLabelsFulfilsAnExpectation) {
    const model::Labels detailed{{"shop", "de"}, {"zone", "1"}};
    kpi_.expect = {de_};
    evaluate(0, Values{});
    EXPECT_EQ(instance(de_).status, Status::kNoData);
    evaluate(1, Values{{detailed, 0}});
    EXPECT_EQ(report_.instances.size(), 1U);
    EXPECT_EQ(report_.replaced, std::vector{de_});
    EXPECT_TRUE(report_.expired.empty());
    evaluate(99999, Values{});
    EXPECT_EQ(instance(detailed).status, Status::kNoData) << "expected, so not forgotten";
}

TEST_F(TrackerNoDataTest, ShowsConstantConditionsThroughAnError) {
    judge(0, 3);
    restart(1);
    evaluate(1, Evaluation{.error = "timeout"});
    ASSERT_TRUE(instance().target);
    EXPECT_EQ(instance().target->a, 1);
    EXPECT_EQ(instance().critical->a, 5);
}

TEST_F(TrackerNoDataTest, GivesSourcesTimeAfterAStart) {
    judge(0, 3);
    evaluate(1, Values{});
    restart(3000);
    evaluate(3001, Values{});
    EXPECT_EQ(instance().status, Status::kStale);
    evaluate(3004, Values{});
    EXPECT_EQ(instance().status, Status::kStale);
    evaluate(3005, Values{});
    EXPECT_EQ(instance().status, Status::kNoData);
    restart(6000);
    evaluate(6000, Values{});
    EXPECT_EQ(instance().status, Status::kNoData) << "it was declared before";
    EXPECT_EQ(active(), "threshold/warning no_data/warning");
}

TEST_F(TrackerNoDataTest, TheListSurvivesAStart) {
    evaluate(0, Values{});
    evaluate(15, Values{});
    EXPECT_TRUE(report_.without_value);
    restart(16);
    evaluate(16, Values{});
    EXPECT_TRUE(report_.without_value);
}

}  // namespace
}  // namespace kpid::kpi
