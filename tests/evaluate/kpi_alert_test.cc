// Alerts of KPIs: when they fire and end, and what they carry.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

class KpiAlert : public EvaluateTest {};

TEST_F(KpiAlert, FiresAndEndsWithTheLevel) {
    given(kpis(kpi("csat", "target: 4.5, warning: 4.4")));
    settle("csat", 4.42);
    EXPECT_THAT(told(), IsEmpty());
    settle("csat", 4.1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/warning"));
    settle("csat", 4.0);
    EXPECT_THAT(told(), IsEmpty());
    settle("csat", 4.42);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/warning"));
}

TEST_F(KpiAlert, WaitsForItsTimeThoughTheStatusChangesAtOnce) {
    given(kpis(kpi("csat", "warning: {below: 4.4, for: 2m}")));
    settle("csat", 4);
    EXPECT_EQ(status("csat"), "warning");
    ASSERT_EQ(evaluator_->alerts().size(), 1U);
    EXPECT_EQ(evaluator_->alerts()[0].state, alerting::AlertState::kPending);
    advance(90s);
    EXPECT_THAT(told(), IsEmpty());
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/warning"));
    EXPECT_EQ(evaluator_->alerts()[0].state, alerting::AlertState::kFiring);
}

TEST_F(KpiAlert, SupersedesBetweenWarningAndCritical) {
    given(kpis(kpi("csat", "warning: 4.4, critical: {below: 4, for: 1m}", "avg by (shop) (csat)")));
    settle("csat", {{"shop", "de"}}, 4.2);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/warning{shop=\"de\"}"));
    settle("csat", {{"shop", "de"}}, 3);
    EXPECT_EQ(status("csat"), "critical");
    EXPECT_THAT(told(), IsEmpty());  // The warning keeps firing while critical is pending.
    advance(1min);
    EXPECT_THAT(told(), ElementsAre("superseded csat/threshold/warning{shop=\"de\"}",
                                    "firing csat/threshold/critical{shop=\"de\"}"));
    EXPECT_EQ(sink_.newest("csat/threshold/warning{shop=\"de\"}").kpi->superseded_by,
              sink_.newest("csat/threshold/critical{shop=\"de\"}").fingerprint());
    settle("csat", {{"shop", "de"}}, 4.2);
    EXPECT_THAT(told(), ElementsAre("superseded csat/threshold/critical{shop=\"de\"}",
                                    "firing csat/threshold/warning{shop=\"de\"}"));
    settle("csat", {{"shop", "de"}}, 5);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/warning{shop=\"de\"}"));
}

TEST_F(KpiAlert, IsLeftOnlyWhenRecoverHolds) {
    given(kpis(kpi("csat", "warning: {below: 4.4, recover: {at_least: 4.6}}")));
    settle("csat", 4.3);
    settle("csat", 4.5);
    EXPECT_EQ(status("csat"), "warning");
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/warning"));
    settle("csat", 4.6);
    EXPECT_EQ(status("csat"), "untargeted");
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/warning"));
}

TEST_F(KpiAlert, StaysWhileStaleAndWhileUnsure) {
    given(kpis(kpi("csat",
                   "critical: 4, require: {expr: answers, at_least: 3}, "
                   "no_data: {after: 10m, alert: none}")));
    push_all({{"csat", {}, 1}, {"answers", {}, 3}});
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    push_all({{"csat", {}, 5}, {"answers", {}, 1}});
    advance(30s);
    EXPECT_EQ(status("csat"), "unsure");
    advance(6min);
    EXPECT_EQ(status("csat"), "stale");
    advance(10min);
    EXPECT_EQ(status("csat"), "no_data");
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KpiAlert, ExpiresWithItsInstance) {
    given(kpis(kpi("csat", "critical: 4, no_data: {after: 10m, forget_instance_after: 20m}")));
    push_all({{"csat", {{"shop", "de"}}, 1}, {"csat", {{"shop", "at"}}, 5}});
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical{shop=\"de\"}"));
    for (int i = 0; i < 25; ++i) {
        push("csat", {{"shop", "at"}}, 5);
        advance(1min);
    }
    EXPECT_THAT(told(), ElementsAre("firing csat/no_data/warning{shop=\"de\"}",
                                    "expired csat/no_data/warning{shop=\"de\"}",
                                    "expired csat/threshold/critical{shop=\"de\"}"));
    EXPECT_EQ(status("csat", {{"shop", "de"}}), "no such instance");
}

TEST_F(KpiAlert, ResolvesWhenTheExpectedInstanceComes) {
    given(kpis(kpi("csat", "critical: 4, no_data: {after: 10m}, expect: [{shop: de}]")));
    settle("csat", {{"shop", "at"}}, 5);
    for (int i = 0; i < 24; ++i) {
        settle("csat", {{"shop", "at"}}, 5);
    }
    EXPECT_THAT(told(), ElementsAre("firing csat/no_data/warning{shop=\"de\"}"));
    settle("csat", {{"shop", "de"}, {"zone", "1"}}, 5);
    EXPECT_THAT(told(), ElementsAre("resolved csat/no_data/warning{shop=\"de\"}"));
    EXPECT_EQ(status("csat", {{"shop", "de"}}), "no such instance");
}

TEST_F(KpiAlert, CarriesIdentityAttachedLabelsAnnotationsAndContext) {
    given(kHead +
          "kpis:\n"
          "  csat:\n"
          "    title: Customer satisfaction\n"
          "    owner: ops\n"
          "    goal: delight\n"
          "    category: customer\n"
          "    unit: percent\n"
          "    better: higher\n"
          "    value: {expr: 'avg by (shop) (csat)'}\n"
          "    target: 90%\n"
          "    warning: 80%\n"
          "    critical: 70%\n"
          "    labels: {team: support}\n"
          "    actions: [{when: critical, do: Read the comments, url: 'https://wiki/csat'}]\n"
          "    annotations: {summary: '{{ $kpi.title }} in {{ $labels.shop }} is "
          "{{ $value | inUnit }}, wanted {{ $target }}, threshold {{ $threshold }}, "
          "{{ $status }}'}\n");
    settle("csat", {{"shop", "de"}}, 0.5);
    const alerting::Alert alert = sink_.newest("csat/threshold/critical{shop=\"de\"}");
    EXPECT_EQ(alert.identity, (model::Labels{{"alertname", "csat"},
                                             {"kpi", "csat"},
                                             {"condition", "threshold"},
                                             {"severity", "critical"},
                                             {"shop", "de"}}));
    EXPECT_EQ(alert.labels.get("owner"), "ops");
    EXPECT_EQ(alert.labels.get("goal"), "delight");
    EXPECT_EQ(alert.labels.get("category"), "customer");
    EXPECT_EQ(alert.labels.get("team"), "support");
    EXPECT_EQ(alert.annotations.at("summary"),
              "Customer satisfaction in de is 50 %, wanted at least 90 %, threshold below 70 %, "
              "critical");
    ASSERT_TRUE(alert.kpi);
    EXPECT_EQ(alert.kpi->id, "csat");
    EXPECT_EQ(alert.kpi->title, "Customer satisfaction");
    EXPECT_EQ(alert.kpi->value, 0.5);
    EXPECT_EQ(alert.kpi->target_json, "{\"at_least\":0.9}");
    EXPECT_EQ(alert.kpi->unit, "percent");
    EXPECT_EQ(alert.kpi->status, "critical");
    EXPECT_EQ(alert.kpi->goal, "delight");
    EXPECT_EQ(alert.kpi->runbook, "https://wiki/csat");
    EXPECT_EQ(alert.generator_url, "http://kpid.example/?kpi=csat");
}

TEST_F(KpiAlert, NamesTheThresholdThatEndedIt) {
    given(kpis(kpi("csat",
                   "warning: 4, critical: 3, "
                   "annotations: {summary: 'left {{ $threshold }}'}")));
    settle("csat", 1);
    settle("csat", 5);
    const alerting::Alert ended = sink_.newest("csat/threshold/critical");
    EXPECT_EQ(ended.ended, alerting::EndReason::kResolved);
    EXPECT_EQ(ended.annotations.at("summary"), "left below 3");
}

TEST_F(KpiAlert, SaysInTheAnnotationWhenItsTemplateFails) {
    given(kpis(kpi("csat", "critical: 4, annotations: {summary: '{{ query \"up\" | first }}'}")));
    settle("csat", 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    EXPECT_GE(metric("kpid_evaluation_template_failures_total"), 1);
}

TEST_F(KpiAlert, IsWrittenAsSeriesAndEndsThere) {
    given(kpis(kpi("csat", "critical: {below: 4, for: 30s}")));
    settle("csat", 1);
    const TextLabels pending{{"alertname", "csat"},
                             {"kpi", "csat"},
                             {"condition", "threshold"},
                             {"severity", "critical"},
                             {"alertstate", "pending"}};
    const TextLabels firing{{"alertname", "csat"},
                            {"kpi", "csat"},
                            {"condition", "threshold"},
                            {"severity", "critical"},
                            {"alertstate", "firing"}};
    const TextLabels for_state{{"alertname", "csat"},
                               {"kpi", "csat"},
                               {"condition", "threshold"},
                               {"severity", "critical"}};
    EXPECT_EQ(stored("ALERTS", pending), 1);
    EXPECT_EQ(stored("ALERTS", firing), std::nullopt);
    advance(30s);
    EXPECT_EQ(stored("ALERTS", pending), std::nullopt);
    EXPECT_EQ(stored("ALERTS", firing), 1);
    EXPECT_TRUE(stored("ALERTS_FOR_STATE", for_state));
    settle("csat", 5);
    EXPECT_EQ(stored("ALERTS", firing), std::nullopt);
    EXPECT_EQ(stored("ALERTS_FOR_STATE", for_state), std::nullopt);
}

TEST_F(KpiAlert, EndsItsSeriesThoughTwoEvaluationsHaveOneInstant) {
    given(kpis(kpi("csat", "critical: 4, evaluate: on_sample")));
    advance(1s);
    push_all({{"csat", {}, 1, 1s}});
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    evaluator_->reconfigure(config_);  // Judged again at the same instant.
    push_all({{"csat", {}, 5, 2s}});
    advance(10s);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
    EXPECT_EQ(stored("ALERTS", {{"alertname", "csat"},
                                {"kpi", "csat"},
                                {"condition", "threshold"},
                                {"severity", "critical"},
                                {"alertstate", "firing"}}),
              std::nullopt);
}

TEST_F(KpiAlert, StandsInTheRulesAsAGroupOfItsFile) {
    given(kpis(kpi("csat", "target: 4.5, warning: 4.4, critical: {below: 4, for: 1m}")));
    settle("csat", 1);
    advance(1min);
    const std::vector<RuleGroupView> groups = evaluator_->rule_groups();
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups[0].name, "kpis");
    EXPECT_EQ(groups[0].file, "kpid.yaml");
    ASSERT_EQ(groups[0].rules.size(), 3U);
    EXPECT_EQ(groups[0].rules[0].query, "(csat) < 4.4");
    EXPECT_EQ(groups[0].rules[1].query, "(csat) < 4");
    EXPECT_EQ(groups[0].rules[1].hold, 1min);
    EXPECT_EQ(groups[0].rules[1].state(), "firing");
    EXPECT_EQ(groups[0].rules[1].health, "ok");
    EXPECT_EQ(groups[0].rules[2].labels.at("condition"), "no_data");
    EXPECT_EQ(groups[0].rules[2].state(), "inactive");
}

}  // namespace
}  // namespace kpid::evaluate::testing
