// The status of KPIs through real expressions: instances, overrides, bounds, what is missing.
#include "evaluate/evaluate_fixture.h"
#include "evaluate/value_input.h"

namespace kpid::evaluate::testing {
namespace {

class KpiStatus : public EvaluateTest {};

TEST_F(KpiStatus, FollowsTheValueThroughAllLevels) {
    given(kpis(kpi("csat", "target: 4.5, warning: 4.4, critical: 4.0")));
    EXPECT_EQ(status("csat"), "no_data");
    const std::vector<std::pair<double, std::string>> walk{{4.7, "on_target"}, {4.45, "off_target"},
                                                           {4.3, "warning"},   {3.5, "critical"},
                                                           {4.2, "warning"},   {4.5, "on_target"}};
    for (const auto& [value, want] : walk) {
        SCOPED_TRACE(value);
        settle("csat", value);
        EXPECT_EQ(status("csat"), want);
    }
}

TEST_F(KpiStatus, IsTheWorstOfTheInstances) {
    given(kpis(kpi("csat", "target: 4.5, critical: 4.0", "avg by (shop) (csat)")));
    push_all({{"csat", {{"shop", "de"}, {"desk", "1"}}, 5},
              {"csat", {{"shop", "de"}, {"desk", "2"}}, 4.5},
              {"csat", {{"shop", "at"}}, 3}});
    advance(30s);
    EXPECT_EQ(status("csat", {{"shop", "de"}}), "on_target");
    EXPECT_EQ(instance("csat", {{"shop", "de"}})->value, 4.75);
    EXPECT_EQ(status("csat", {{"shop", "at"}}), "critical");
    EXPECT_EQ(status("csat"), "critical");
}

TEST_F(KpiStatus, UsesTheFirstOverrideThatMatches) {
    given(kpis(
        kpi("csat", "target: 4.5, warning: none, overrides: [{match: {shop: at}, target: 4}]")));
    push_all({{"csat", {{"shop", "de"}}, 4.2}, {"csat", {{"shop", "at"}}, 4.2}});
    advance(30s);
    EXPECT_EQ(status("csat", {{"shop", "de"}}), "off_target");
    EXPECT_EQ(status("csat", {{"shop", "at"}}), "on_target");
}

TEST_F(KpiStatus, MatchesABoundByTheLabelsItShares) {
    given(kpis(kpi("sold", "target: {at_least: {expr: 'plan'}}, warning: none")));
    push_all({{"sold", {{"shop", "de"}}, 10},
              {"sold", {{"shop", "at"}}, 10},
              {"sold", {{"shop", "ch"}}, 10},
              {"plan", {{"shop", "de"}, {"author", "x"}}, 9},
              {"plan", {{"shop", "at"}}, 11}});
    advance(30s);
    EXPECT_EQ(status("sold", {{"shop", "de"}}), "on_target");
    EXPECT_EQ(status("sold", {{"shop", "at"}}), "off_target");
    // Without an answer the condition is not judged, and that is counted.
    EXPECT_EQ(status("sold", {{"shop", "ch"}}), "untargeted");
    EXPECT_GT(metric("kpid_evaluation_bounds_missing_total"), 0);
}

TEST_F(KpiStatus, TakesABoundWithoutLabelsForAll) {
    given(kpis(kpi("sold", "target: {at_least: {expr: 'sum(plan)'}}, warning: none")));
    push_all({{"sold", {{"shop", "de"}}, 10},
              {"sold", {{"shop", "at"}}, 3},
              {"plan", {{"shop", "x"}}, 2},
              {"plan", {{"shop", "y"}}, 3}});
    advance(30s);
    EXPECT_EQ(status("sold", {{"shop", "de"}}), "on_target");
    EXPECT_EQ(status("sold", {{"shop", "at"}}), "off_target");
    EXPECT_EQ(instance("sold", {{"shop", "at"}})->target->a, 5);
}

TEST_F(KpiStatus, IsUnsureWithTooLittleBehindTheNumber) {
    given(kpis(kpi("csat", "target: 4, require: {expr: 'sum(answers)', at_least: 30}")));
    push_all({{"csat", {}, 5}, {"answers", {}, 29}});
    advance(30s);
    EXPECT_EQ(status("csat"), "unsure");
    push_all({{"csat", {}, 1}, {"answers", {}, 30}});
    advance(30s);
    EXPECT_EQ(status("csat"), "warning");
}

TEST_F(KpiStatus, ShowsAnExpectedInstanceThatNeverCame) {
    given(kpis(kpi("csat", "target: 4, expect: [{shop: de}]")));
    settle("csat", {{"shop", "at"}}, 5);
    EXPECT_EQ(status("csat", {{"shop", "de"}}), "no_data");
    EXPECT_EQ(status("csat", {{"shop", "at"}}), "on_target");
    EXPECT_EQ(status("csat"), "no_data");
}

TEST_F(KpiStatus, IsStaleAndThenWithoutData) {
    given(kpis(kpi("csat", "target: 4, no_data: {after: 10m}")));
    settle("csat", 5);
    advance(4min);
    EXPECT_EQ(status("csat"), "on_target");
    advance(2min);
    EXPECT_EQ(status("csat"), "stale");
    EXPECT_FALSE(instance("csat", {})->value.has_value());
    advance(10min);
    EXPECT_EQ(status("csat"), "no_data");
    EXPECT_THAT(told(), ElementsAre("firing csat/no_data/warning"));
    settle("csat", 5);
    EXPECT_EQ(status("csat"), "on_target");
    EXPECT_THAT(told(), ElementsAre("resolved csat/no_data/warning"));
}

TEST_F(KpiStatus, StaysAsItIsThroughAnEvaluationError) {
    given(kpis(kpi("rate", "critical: {below: 1}", "a / on (k) b")));
    push_all({{"a", {{"k", "1"}}, 4}, {"b", {{"k", "1"}}, 2}});
    advance(30s);
    EXPECT_EQ(status("rate", {{"k", "1"}}), "untargeted");
    push_all({{"a", {{"k", "1"}, {"twin", "1"}}, 0}, {"b", {{"k", "1"}, {"twin", "1"}}, 2}});
    advance(30s);
    EXPECT_EQ(status("rate", {{"k", "1"}}), "untargeted");
    EXPECT_THAT(evaluator_->kpi("rate")->error, ::testing::HasSubstr("many-to-many"));
    EXPECT_GE(metric("kpid_evaluation_failures_total", "kpi"), 1);
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KpiStatus, SaysWhenSeriesDifferOnlyInTheirName) {
    given(kpis(kpi("both", "target: 1", "{__name__=~\"up_.*\"}")));
    push_all({{"up_a", {}, 1}, {"up_b", {}, 1}});
    advance(30s);
    EXPECT_THAT(evaluator_->kpi("both")->error, ::testing::HasSubstr("metric name"));
    EXPECT_EQ(status("both"), "no_data");
}

TEST_F(KpiStatus, TakesAScalarForAnInstanceWithoutLabels) {
    given(kpis(kpi("two", "target: 1", "1 + 1")));
    advance(30s);
    EXPECT_EQ(status("two"), "on_target");
    EXPECT_EQ(instance("two", {})->value, 2);
}

TEST_F(KpiStatus, CountsInstancesBeyondTheLimit) {
    given(kpis(kpi("csat", "critical: 4, limit: 2")));
    push_all(
        {{"csat", {{"shop", "a"}}, 5}, {"csat", {{"shop", "b"}}, 1}, {"csat", {{"shop", "c"}}, 5}});
    advance(30s);
    EXPECT_EQ(status("csat", {{"shop", "b"}}), "critical");
    EXPECT_EQ(evaluator_->kpi("csat")->report.hidden, 1U);
}

TEST(MatchBySharedLabels, PrefersTheCandidateThatSharesMost) {
    const model::Labels instance{{"shop", "de"}, {"desk", "1"}};
    struct Case {
        std::string name;
        promql::Vector candidates;
        std::optional<double> want;
    };
    const std::vector<Case> cases{
        {"none", {}, std::nullopt},
        {"without labels", {{{}, {}, 7}}, 7},
        {"its own name does not count", {{{{"__name__", "plan"}}, {}, 7}}, 7},
        {"another shop", {{{{"shop", "at"}}, {}, 7}}, std::nullopt},
        {"the closer one",
         {{{{"shop", "de"}}, {}, 1}, {{{"shop", "de"}, {"desk", "1"}}, {}, 2}},
         2},
        {"two that fit equally",
         {{{{"shop", "de"}, {"x", "1"}}, {}, 1}, {{{"shop", "de"}, {"x", "2"}}, {}, 2}},
         std::nullopt},
        {"a special one before one for all", {{{}, {}, 1}, {{{"shop", "de"}}, {}, 2}}, 2},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(match_by_shared_labels(instance, c.candidates), c.want);
    }
}

}  // namespace
}  // namespace kpid::evaluate::testing
