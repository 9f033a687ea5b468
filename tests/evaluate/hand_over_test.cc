// A sink that fails: nothing is lost, nothing is told twice.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

class HandOver : public EvaluateTest {};

TEST_F(HandOver, IsRepeatedWithTheNextEvaluation) {
    given(kpis(kpi("csat", "warning: 4.4, critical: 4")));
    sink_.fail(true);
    settle("csat", 4.2);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(status("csat"), "warning");
    EXPECT_GE(metric("kpid_evaluation_submit_failures_total"), 1);
    sink_.fail(false);
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/warning"));
    const std::size_t calls = sink_.calls();
    advance(30s);
    EXPECT_EQ(sink_.calls(), calls);
}

TEST_F(HandOver, EndsWhatWasToldThoughTheEndFailedForLong) {
    given(kpis(kpi("csat", "warning: 4.4, critical: 4")));
    settle("csat", 4.2);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/warning"));
    sink_.fail(true);
    settle("csat", 1);
    settle("csat", 5);
    for (int i = 0; i < 20; ++i) {
        push("csat", 5);
        advance(1min);
    }
    sink_.fail(false);
    advance(30s);
    const std::vector<std::string> news = told();
    ASSERT_EQ(news.size(), 1U);
    EXPECT_THAT(news[0], ::testing::EndsWith("csat/threshold/warning"));
    EXPECT_THAT(sink_.firing(), IsEmpty());
}

TEST_F(HandOver, LosesNothingWhenTheProcessEndsBeforeItWorksAgain) {
    given(kpis(kpi("csat", "critical: 4")));
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    sink_.fail(true);
    settle("csat", 5);
    stop();
    sink_.fail(false);
    restart();
    settle("csat", 5);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
}

TEST_F(HandOver, RepeatsTheEndOfARemovedKpi) {
    given(kpis(kpi("csat", "critical: 4, evaluate: 1h")));
    push("csat", 1);
    given(kpis(kpi("csat", "critical: 4, evaluate: 1h")));
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    sink_.fail(true);
    given(kpis(""));
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_FALSE(storage_.scan("evaluate/kpi/csat/", 10)->empty());
    advance(7s);
    sink_.fail(false);
    advance(7s);
    EXPECT_THAT(told(), ElementsAre("removed csat/threshold/critical"));
    EXPECT_TRUE(storage_.scan("evaluate/kpi/csat/", 10)->empty());
    const std::size_t calls = sink_.calls();
    advance(2h);
    EXPECT_EQ(sink_.calls(), calls);
}

TEST_F(HandOver, RepeatsAlertsAndEndsOfRules) {
    given_rules("groups:\n  - {name: g, rules: [{alert: High, expr: 'load > 5'}]}\n");
    sink_.fail(true);
    settle("load", 6);
    sink_.fail(false);
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing High"));
    sink_.fail(true);
    settle("load", 4);
    for (int i = 0; i < 20; ++i) {
        push("load", 4);
        advance(1min);
    }
    sink_.fail(false);
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("resolved High"));
    sink_.fail(true);
    settle("load", 6);
    given_rules("groups: []\n");
    sink_.fail(false);
    advance(10s);
    EXPECT_THAT(sink_.firing(), IsEmpty());
    EXPECT_TRUE(storage_.scan("evaluate/rule/", 10)->empty());
}

TEST_F(HandOver, WritesNoStateForAnEvaluationThatChangedNothing) {
    given(kpis(kpi("csat", "critical: 4")));
    settle("csat", 5);
    const std::size_t calls = sink_.calls();
    settle("csat", 5);
    settle("csat", 6);
    EXPECT_EQ(sink_.calls(), calls);
    advance(5min);  // The times of values are saved now and then.
    EXPECT_LE(sink_.calls(), calls + 2);
}

}  // namespace
}  // namespace kpid::evaluate::testing
