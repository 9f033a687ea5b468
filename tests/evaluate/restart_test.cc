// What a start finds of the time before: alerts go on, and end only on what is known anew.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

class Restart : public EvaluateTest {
protected:
    const std::string kCsat = kpis(kpi("csat", "critical: 4, evaluate: on_sample"));
};

TEST_F(Restart, KeepsAnAlertAndTheTimeItBegan) {
    given(kCsat);
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    const alerting::Alert before = sink_.newest("csat/threshold/critical");
    advance(2min);
    restart();
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(status("csat"), "critical");
    ASSERT_EQ(evaluator_->alerts().size(), 1U);
    EXPECT_EQ(evaluator_->alerts()[0].alert.fingerprint(), before.fingerprint());
    EXPECT_EQ(evaluator_->alerts()[0].alert.starts_at, before.starts_at);
    EXPECT_EQ(evaluator_->kpi("csat")->report.since, before.starts_at);
    push("csat", 5);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
}

TEST_F(Restart, EndsOnASampleThatWasStoredAfterTheLastJudgement) {
    given(kCsat);
    settle("csat", 1);
    stop();
    advance(1s);
    push("csat", 5);
    restart();
    EXPECT_THAT(told(),
                ElementsAre("firing csat/threshold/critical", "resolved csat/threshold/critical"));
}

TEST_F(Restart, ServesTheTimeOfAPendingAlertOn) {
    given(kpis(kpi("csat", "critical: {below: 4, for: 2m}")));
    settle("csat", 1);
    advance(30s);
    restart();
    advance(1min);
    EXPECT_THAT(told(), IsEmpty());
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

TEST_F(Restart, KeepsAnAlertUntilItsPolledSourceAnswered) {
    polled_ = {"shop"};
    answered_ = {"shop"};
    given(kpis(kpi("down", "critical: {above: 0}", "count(up{job=\"shop\"} == 0) or vector(0)")));
    settle("up", {{"job", "shop"}}, 0);
    EXPECT_THAT(told(), ElementsAre("firing down/threshold/critical"));
    stop();
    advance(10min);  // All samples are too old now: the expression would say 0.
    answered_ = {};
    restart();
    EXPECT_EQ(status("down"), "untargeted");
    EXPECT_THAT(told(), IsEmpty());
    advance(2min);
    EXPECT_THAT(told(), IsEmpty());
    answered_ = {"shop"};
    settle("up", {{"job", "shop"}}, 1);
    EXPECT_THAT(told(), ElementsAre("resolved down/threshold/critical"));
}

TEST_F(Restart, WaitsForASilentSourceAtMostAsLongAsASampleHolds) {
    polled_ = {"shop"};
    given(kpis(kpi("down", "critical: {above: 0}", "count(up{job=\"shop\"} == 0) or vector(0)")));
    settle("up", {{"job", "shop"}}, 0);
    stop();
    advance(10min);
    restart();
    advance(4min);
    EXPECT_THAT(told(), ElementsAre("firing down/threshold/critical"));
    advance(90s);
    EXPECT_THAT(told(), ElementsAre("resolved down/threshold/critical"));
}

TEST_F(Restart, WaitsForNoSourceWhereSamplesArePushed) {
    polled_ = {"shop"};  // Another one, which never answers.
    given(kpis(kpi("rate", "critical: 4", "max_over_time(csat[1m]) * 1")));
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing rate/threshold/critical"));
    stop();
    advance(1s);
    push("csat", 5);
    restart();
    EXPECT_THAT(told(), ElementsAre("resolved rate/threshold/critical"));
}

TEST_F(Restart, EndsWhatWasRemovedMeanwhile) {
    given(kpis(kpi("csat", "critical: 4") + kpi("other", "critical: 4")));
    push_all({{"csat", {}, 1}, {"other", {}, 1}});
    advance(30s);
    static_cast<void>(told());
    stop_and_give(kpis(kpi("other", "critical: 4")));
    EXPECT_THAT(told(), ElementsAre("removed csat/threshold/critical"));
    restart();
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_TRUE(storage_.scan("evaluate/kpi/csat/", 10)->empty());
}

TEST_F(Restart, EndsRulesThatWereRemovedMeanwhile) {
    const std::string both =
        "groups:\n  - {name: g, rules: [{alert: A, expr: 'vector(1)'}, "
        "{alert: B, expr: 'vector(1)'}]}\n";
    given_rules(both);
    EXPECT_THAT(told(), ElementsAre("firing A", "firing B"));
    stop();
    given_rules("groups:\n  - {name: g, rules: [{alert: B, expr: 'vector(1)'}]}\n");
    EXPECT_THAT(told(), ElementsAre("removed A"));
}

TEST_F(Restart, KeepsAlertsOfRules) {
    const std::string rules =
        "groups:\n  - {name: g, rules: [{alert: High, expr: 'load > 5', for: 1m}]}\n";
    given_rules(rules);
    settle("load", 6);
    advance(1min);
    EXPECT_THAT(told(), ElementsAre("firing High"));
    const Timestamp began = sink_.newest("High").starts_at;
    restart();
    EXPECT_EQ(evaluator_->alerts().at(0).alert.starts_at, began);
    EXPECT_THAT(told(), IsEmpty());
    settle("load", 4);
    EXPECT_THAT(told(), ElementsAre("resolved High"));
}

TEST_F(Restart, BeginsTheForOfARuleAnewWhenItIsShort) {
    given_rules("groups:\n  - {name: g, rules: [{alert: High, expr: 'load > 5', for: 1m}]}\n");
    settle("load", 6);
    ASSERT_EQ(evaluator_->alerts().at(0).state, alerting::AlertState::kPending);
    stop();
    advance(1min);
    const Timestamp started = now();
    restart();
    advance(30s);
    ASSERT_EQ(evaluator_->alerts().at(0).state, alerting::AlertState::kPending);
    EXPECT_GE(evaluator_->alerts().at(0).active_at, started);
    advance(1min);
    EXPECT_THAT(told(), ElementsAre("firing High"));
}

TEST_F(Restart, DoesNotCountTheOutageIntoTheForOfARule) {
    given_rules("groups:\n  - {name: g, rules: [{alert: High, expr: 'load > 5', for: 30m}]}\n");
    for (int i = 0; i < 30; ++i) {
        settle("load", 6);
    }
    const Timestamp active_at = evaluator_->alerts().at(0).active_at;
    stop();
    advance(40min);
    restart();
    for (int i = 0; i < 4; ++i) {
        settle("load", 6);
    }
    const Timestamp restored = evaluator_->alerts().at(0).active_at;
    EXPECT_GE(restored - active_at, 40min);
    EXPECT_LE(restored - active_at, 42min);
    EXPECT_TRUE(stored("ALERTS_FOR_STATE", {{"alertname", "High"}}));
    for (int i = 0; i < 25; ++i) {
        settle("load", 6);
    }
    EXPECT_THAT(told(), IsEmpty());
    for (int i = 0; i < 5; ++i) {
        settle("load", 6);
    }
    EXPECT_THAT(told(), ElementsAre("firing High"));
}

TEST_F(Restart, EndsAlertsOfRulesOnlyWhenTheirSourceAnswered) {
    polled_ = {"shop", "idle"};
    given_rules("groups:\n  - {name: g, rules: [{alert: High, expr: 'load > 5'}]}\n");
    settle("load", {{"job", "shop"}}, 6);
    stop();
    advance(6min);
    restart();
    advance(1min);
    EXPECT_THAT(told(), ElementsAre("firing High{job=\"shop\"}"));
    answered_ = {"shop"};  // The idle one has nothing to do with it.
    settle("load", {{"job", "shop"}}, 4);
    EXPECT_THAT(told(), ElementsAre("resolved High{job=\"shop\"}"));
}

TEST_F(Restart, KnowsHowLongAValueHasBeenMissing) {
    given(kpis(kpi("csat", "critical: 4, no_data: {after: 20m}")));
    for (int i = 0; i < 30; ++i) {
        settle("csat", 5);
    }
    stop();
    advance(6min);
    restart();
    EXPECT_EQ(status("csat"), "stale");
    advance(8min);
    EXPECT_EQ(status("csat"), "stale");
    EXPECT_THAT(told(), IsEmpty());
    advance(8min);
    EXPECT_EQ(status("csat"), "no_data");
}

TEST_F(Restart, BeginsAnewWithDamagedState) {
    given(kCsat);
    settle("csat", 1);
    stop();
    ASSERT_TRUE(storage_.write(std::vector<model::StateWrite>{{KpiUnit::tracker_key("csat"), "{"},
                                                              {KpiUnit::alerts_key("csat"), "x"}}));
    sink_.forget();
    restart();
    EXPECT_EQ(status("csat"), "critical");
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

}  // namespace
}  // namespace kpid::evaluate::testing
