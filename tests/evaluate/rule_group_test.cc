// Groups of Prometheus rules: order, series, errors, templates.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

class RuleGroup : public EvaluateTest {
protected:
    [[nodiscard]] RuleView rule(std::size_t index) const {
        return evaluator_->rule_groups().at(0).rules.at(index);
    }
};

TEST_F(RuleGroup, ShowsEachRuleWhatThoseBeforeItWrote) {
    given_rules(
        "groups:\n"
        "  - name: g\n"
        "    rules:\n"
        "      - {record: 'job:load:sum', expr: 'sum by (job) (load)', labels: {site: b}}\n"
        "      - {record: 'load:twice', expr: '2 * job:load:sum'}\n"
        "      - {alert: HighLoad, expr: 'load:twice > 10', labels: {severity: page}}\n");
    push_all(
        {{"load", {{"job", "a"}, {"cpu", "0"}}, 3}, {"load", {{"job", "a"}, {"cpu", "1"}}, 3}});
    advance(30s);
    EXPECT_EQ(stored("job:load:sum", {{"job", "a"}, {"site", "b"}}), 6);
    EXPECT_EQ(stored("load:twice", {{"job", "a"}, {"site", "b"}}), 12);
    EXPECT_THAT(told(), ElementsAre("firing HighLoad{job=\"a\", severity=\"page\", site=\"b\"}"));
}

TEST_F(RuleGroup, EndsRecordedSeriesThatVanished) {
    given_rules(
        "groups:\n"
        "  - {name: g, rules: [{record: 'busy', expr: 'load > 5'}]}\n");
    settle("load", 6);
    EXPECT_EQ(stored("busy", {}), 6);
    settle("load", 4);
    EXPECT_EQ(stored("busy", {}), std::nullopt);
}

TEST_F(RuleGroup, WaitsWithAlertsAndWritesTheirSeries) {
    given_rules(
        "groups:\n"
        "  - {name: g, rules: [{alert: High, expr: 'load > 5', for: 1m}]}\n");
    settle("load", 6);
    EXPECT_EQ(stored("ALERTS", {{"alertname", "High"}, {"alertstate", "pending"}}), 1);
    EXPECT_EQ(rule(0).state(), "pending");
    EXPECT_THAT(told(), IsEmpty());
    advance(1min);
    EXPECT_EQ(stored("ALERTS", {{"alertname", "High"}, {"alertstate", "pending"}}), std::nullopt);
    EXPECT_EQ(stored("ALERTS", {{"alertname", "High"}, {"alertstate", "firing"}}), 1);
    EXPECT_TRUE(stored("ALERTS_FOR_STATE", {{"alertname", "High"}}));
    EXPECT_THAT(told(), ElementsAre("firing High"));
    EXPECT_EQ(rule(0).state(), "firing");
    ASSERT_EQ(evaluator_->alerts().size(), 1U);
    EXPECT_EQ(evaluator_->alerts()[0].value, 6);
    settle("load", 4);
    EXPECT_EQ(stored("ALERTS", {{"alertname", "High"}, {"alertstate", "firing"}}), std::nullopt);
    EXPECT_EQ(stored("ALERTS_FOR_STATE", {{"alertname", "High"}}), std::nullopt);
    EXPECT_THAT(told(), ElementsAre("resolved High"));
    EXPECT_THAT(evaluator_->alerts(), IsEmpty());
}

TEST_F(RuleGroup, ExpandsTheTemplatesOfLabelsAndAnnotations) {
    given_rules(
        "groups:\n"
        "  - name: g\n"
        "    rules:\n"
        "      - alert: High\n"
        "        expr: load > 5\n"
        "        labels: {severity: '{{ if gt $value 8.0 }}page{{ else }}ticket{{ end }}'}\n"
        "        annotations:\n"
        "          summary: '{{ $labels.job }} has {{ $value }}, limit "
        "{{ with query \"limit\" }}{{ . | first | value }}{{ end }}'\n"
        "          broken: '{{ template \"absent\" }}'\n");
    push_all({{"limit", {}, 5}, {"load", {{"job", "a"}}, 9}});
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing High{job=\"a\", severity=\"page\"}"));
    const alerting::Alert alert = sink_.newest("High{job=\"a\", severity=\"page\"}");
    EXPECT_EQ(alert.annotations.at("summary"), "a has 9, limit 5");
    EXPECT_THAT(alert.annotations.at("broken"), ::testing::HasSubstr("error"));
    EXPECT_GE(metric("kpid_evaluation_template_failures_total"), 1);
    EXPECT_EQ(alert.generator_url, "http://kpid.example/graph?g0.expr=load+%3E+5&g0.tab=1");
}

TEST_F(RuleGroup, SaysWhatWentWrongAndKeepsAlerts) {
    given_rules(
        "groups:\n"
        "  - name: g\n"
        "    rules:\n"
        "      - {alert: Ratio, expr: 'a / on (k) b > 1'}\n"
        "      - {record: 'fine', expr: 'vector(1)'}\n");
    push_all({{"a", {{"k", "1"}}, 4}, {"b", {{"k", "1"}}, 2}});
    advance(30s);
    EXPECT_EQ(rule(0).health, "ok");
    EXPECT_THAT(told(), ElementsAre("firing Ratio{k=\"1\"}"));
    push_all({{"a", {{"k", "1"}, {"twin", "1"}}, 0}, {"b", {{"k", "1"}, {"twin", "1"}}, 2}});
    advance(30s);
    EXPECT_EQ(rule(0).health, "err");
    EXPECT_THAT(rule(0).last_error, ::testing::HasSubstr("many-to-many"));
    EXPECT_EQ(rule(1).health, "ok");
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(rule(0).state(), "firing");
    EXPECT_GE(metric("kpid_evaluation_failures_total", "rule"), 1);
}

TEST_F(RuleGroup, RefusesMoreThanItsLimit) {
    given_rules(
        "groups:\n"
        "  - {name: g, limit: 1, rules: [{record: 'copy', expr: 'load'}]}\n");
    settle("load", {{"job", "a"}}, 1);
    EXPECT_EQ(rule(0).health, "ok");
    settle("load", {{"job", "b"}}, 1);
    EXPECT_EQ(rule(0).health, "err");
    EXPECT_EQ(stored("copy", {{"job", "b"}}), std::nullopt);
}

TEST_F(RuleGroup, QueriesAndWritesAtItsOffset) {
    given_rules(
        "groups:\n"
        "  - {name: g, query_offset: 1m, rules: [{record: 'copy', expr: 'load'}]}\n");
    const Timestamp pushed_at = now();
    settle("load", 1);
    advance(20s);
    EXPECT_EQ(stored("copy", {}), std::nullopt);
    advance(1min);
    ASSERT_EQ(stored("copy", {}), 1);
    const auto columns = storage_.select(
        std::vector<model::Matcher>{model::Matcher::equal(model::kMetricName, "copy")},
        {now() - 5min, now()}, {});
    EXPECT_GE(columns->at(0).times.front(), pushed_at);
    EXPECT_LE(columns->at(0).times.back(), now() - 1min);
}

TEST_F(RuleGroup, StandsInTheViewBeforeItsFirstEvaluationToo) {
    given(kHead + "rule_files: ['*.yml']\n",
          {{"b.yml", "groups: [{name: late, interval: 1m, rules: [{record: 'x', expr: '1'}]}]\n"},
           {"a.yml",
            "groups: [{name: early, rules: [{alert: A, expr: 'vector( 1 )', for: 1m, "
            "labels: {team: x}, annotations: {s: t}}]}]\n"}});
    const std::vector<RuleGroupView> groups = evaluator_->rule_groups();
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].name, "early");
    EXPECT_EQ(groups[0].file, "a.yml");
    EXPECT_EQ(groups[0].interval, 30s);
    EXPECT_EQ(groups[0].rules[0].query, "vector(1)");
    EXPECT_EQ(groups[0].rules[0].hold, 1min);
    EXPECT_EQ(groups[0].rules[0].labels.at("team"), "x");
    EXPECT_EQ(groups[0].rules[0].annotations.at("s"), "t");
    EXPECT_EQ(groups[1].name, "late");
    EXPECT_EQ(groups[1].interval, 1min);
    EXPECT_TRUE(groups[1].rules[0].recording);
    EXPECT_EQ(groups[1].rules[0].health, "ok");
}

TEST_F(RuleGroup, RepeatsFiringAlertsForWhoeverLostThem) {
    given_rules("groups:\n  - {name: g, rules: [{alert: High, expr: 'vector(1)'}]}\n");
    advance(30s);
    const std::size_t before = sink_.calls();
    advance(5min);
    EXPECT_GE(sink_.calls(), before + 3);
    EXPECT_THAT(told(), ElementsAre("firing High"));
}

}  // namespace
}  // namespace kpid::evaluate::testing
