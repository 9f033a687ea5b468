// Changed definitions: judged at once, with the state and the time served so far.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

class Reload : public EvaluateTest {};

TEST_F(Reload, JudgesAChangedThresholdAtOnce) {
    given(kpis(kpi("csat", "critical: 4")));
    settle("csat", 4.2);
    EXPECT_THAT(told(), IsEmpty());
    given(kpis(kpi("csat", "critical: 4.5")));
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    given(kpis(kpi("csat", "critical: 4.1")));
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
}

TEST_F(Reload, CountsTheTimeServed) {
    given(kpis(kpi("csat", "critical: {below: 4, for: 10m}")));
    settle("csat", 3);
    advance(3min);
    given(kpis(kpi("csat", "critical: {below: 4.5, for: 2m}")));
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

TEST_F(Reload, ChangesAttachedLabelsOfAnAlertThatGoesOn) {
    given(kpis(kpi("csat", "critical: 4, labels: {team: a}")));
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    const Timestamp began = sink_.newest("csat/threshold/critical").starts_at;
    given(kpis(kpi("csat", "critical: 4, labels: {team: b}")));
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(sink_.newest("csat/threshold/critical").labels.get("team"), "b");
    EXPECT_EQ(sink_.newest("csat/threshold/critical").starts_at, began);
}

TEST_F(Reload, EndsARemovedKpiAtOnceAndForgetsIt) {
    given(kpis(kpi("csat", "critical: 4") + kpi("other", "critical: 4")));
    push_all({{"csat", {}, 1}, {"other", {}, 1}});
    advance(30s);
    static_cast<void>(told());
    given(kpis(kpi("other", "critical: 4")));
    EXPECT_THAT(told(), ElementsAre("removed csat/threshold/critical"));
    EXPECT_EQ(status("csat"), "not defined");
    EXPECT_TRUE(storage_.scan("evaluate/kpi/csat/", 10)->empty());
    EXPECT_EQ(stored("ALERTS", {{"alertname", "csat"},
                                {"kpi", "csat"},
                                {"condition", "threshold"},
                                {"severity", "critical"},
                                {"alertstate", "firing"}}),
              std::nullopt);
    // Back again: a new alert.
    given(kpis(kpi("csat", "critical: 4") + kpi("other", "critical: 4")));
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

TEST_F(Reload, BeginsAnewWithAnotherValue) {
    const auto with_value = [](const std::string& value) {
        return kpis(kpi("csat", "critical: 4", value));
    };
    given(with_value("csat"));
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    given(with_value("csat  "));
    EXPECT_THAT(told(), IsEmpty());
    given(with_value("csat + 5"));
    EXPECT_THAT(told(), ElementsAre("removed csat/threshold/critical"));
    EXPECT_EQ(status("csat"), "untargeted");
    given(with_value("csat + 1"));
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    const Timestamp began = sink_.newest("csat/threshold/critical").starts_at;
    advance(1s);
    given(with_value("csat + 2"));
    EXPECT_THAT(told(),
                ElementsAre("removed csat/threshold/critical", "firing csat/threshold/critical"));
    EXPECT_GT(sink_.newest("csat/threshold/critical").starts_at, began);
    stop_and_give(with_value("csat + 5"));
    EXPECT_THAT(told(), ElementsAre("removed csat/threshold/critical"));
    restart();
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Reload, KeepsTheStateOfAKpiThatMovedToAnotherFile) {
    const std::string main = kHead + "kpi_files: ['kpis/*.yaml']\n";
    const std::string text = "kpis:\n" + kpi("csat", "critical: 4");
    given(main, {{"kpis/a.yaml", text}});
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    const Timestamp began = sink_.newest("csat/threshold/critical").starts_at;
    given(main, {{"kpis/b.yaml", text}});
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(evaluator_->rule_groups().at(0).file, "kpis/b.yaml");
    stop_and_give(main, {{"kpis/c.yaml", text}});
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(evaluator_->alerts().at(0).alert.starts_at, began);
}

TEST_F(Reload, KeepsTheStateOfRulesByGroupAndName) {
    given_rules(
        "groups:\n"
        "  - {name: g, rules: [{alert: A, expr: 'load > 5'}, {alert: B, expr: 'load > 5'}]}\n");
    settle("load", 6);
    EXPECT_THAT(told(), ElementsAre("firing A", "firing B"));
    const Timestamp began = sink_.newest("B").starts_at;
    // A goes at once, B keeps its state though it moved; the new one begins with the interval.
    given_rules(
        "groups:\n"
        "  - {name: g, rules: [{record: 'x', expr: '1'}, {alert: B, expr: 'load > 4'}, "
        "{alert: C, expr: 'load > 5'}]}\n");
    EXPECT_THAT(told(), ElementsAre("removed A", "firing C"));
    push("load", 4.5);
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("resolved C"));
    EXPECT_EQ(evaluator_->alerts().at(0).alert.starts_at, began);
    given_rules("groups: []\n");
    EXPECT_THAT(told(), ElementsAre("removed B"));
    EXPECT_THAT(evaluator_->rule_groups(), IsEmpty());
    EXPECT_TRUE(storage_.scan("evaluate/rule/", 10)->empty());
}

TEST_F(Reload, TellsRulesOfOneNameApartByTheirLabels) {
    const std::string critical = "{alert: A, expr: 'load > 5', labels: {severity: critical}}";
    given_rules(
        "groups:\n"
        "  - {name: g, rules: [{alert: A, expr: 'load > 5', labels: {severity: warning}}, " +
        critical + ", {record: q, expr: load, labels: {a: '1'}}, " +
        "{record: q, expr: load, labels: {a: '2'}}]}\n");
    settle("load", 6);
    EXPECT_THAT(told(),
                ElementsAre("firing A{severity=\"warning\"}", "firing A{severity=\"critical\"}"));
    const Timestamp began = evaluator_->alerts().at(0).alert.starts_at;
    // Of each name the first goes.
    given_rules("groups:\n  - {name: g, rules: [" + critical +
                ", {record: q, expr: load, labels: {a: '2'}}]}\n");
    EXPECT_THAT(told(), ElementsAre("removed A{severity=\"warning\"}"));
    ASSERT_EQ(evaluator_->alerts().size(), 1U);
    EXPECT_EQ(evaluator_->alerts().at(0).alert.labels.get("severity"), "critical");
    EXPECT_EQ(evaluator_->alerts().at(0).alert.starts_at, began);
    push("load", 7);
    advance(30s);
    EXPECT_EQ(stored("q", {{"a", "1"}}), std::nullopt);
    EXPECT_EQ(stored("q", {{"a", "2"}}), 7);
}

TEST_F(Reload, ChangesTheIntervalInForce) {
    given(kpis(kpi("csat", "critical: 4, evaluate: 30s")));
    advance(1min);
    given(kpis(kpi("csat", "critical: 4, evaluate: 1s")));
    const double before = kpi_evaluations();
    advance(10s);
    EXPECT_EQ(kpi_evaluations() - before, 10);
    given(kpis(kpi("csat", "critical: 4, evaluate: 5m")));
    const double slow = kpi_evaluations();
    advance(10min);
    EXPECT_EQ(kpi_evaluations() - slow, 2);
}

TEST_F(Reload, TakesBackARemovalThatCouldNotBeTold) {
    given(kpis(kpi("csat", "critical: 4")));
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    sink_.fail(true);
    given(kpis(""));
    EXPECT_EQ(status("csat"), "not defined");
    given(kpis(kpi("csat", "critical: 4.5")));
    sink_.fail(false);
    advance(30s);
    EXPECT_EQ(status("csat"), "critical");
    EXPECT_TRUE(sink_.firing().contains("csat/threshold/critical"));
    settle("csat", 5);
    EXPECT_THAT(sink_.firing(), IsEmpty());
}

}  // namespace
}  // namespace kpid::evaluate::testing
