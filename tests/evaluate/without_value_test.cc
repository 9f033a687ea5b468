// The owner's list of KPIs that never had a value.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

const std::string kAfter = "critical: 4, no_data: {after: 10m}";
const std::string kList = "kpis_without_value/no_data/warning{owner=\"ops\"}";

class WithoutValue : public EvaluateTest {
protected:
    [[nodiscard]] std::string listed() { return sink_.newest(kList).annotations["kpis"]; }
};

TEST_F(WithoutValue, IsOneAlertForAllKpisOfAnOwner) {
    given(kpis(kpi("a", kAfter) + kpi("b", kAfter) + kpi("c", "critical: 4")));
    settle("c", 5);
    advance(9min);
    EXPECT_THAT(told(), IsEmpty());
    advance(90s);
    EXPECT_THAT(told(), ElementsAre("firing " + kList));
    EXPECT_EQ(listed(), "a, b");
    EXPECT_EQ(status("a"), "no_data");
    EXPECT_EQ(sink_.newest(kList).labels.get("severity"), "warning");
    EXPECT_EQ(evaluator_->alerts().size(), 1U);
    settle("a", 5);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(listed(), "b");
    settle("b", 5);
    EXPECT_THAT(told(), ElementsAre("resolved " + kList));
    EXPECT_THAT(evaluator_->alerts(), IsEmpty());
}

// The KPIs of one interval are evaluated one after the other.
TEST_F(WithoutValue, ListsThoseThatWereLoadedTogetherInTheFirstMessage) {
    std::string text;
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
        text += kpi(id, kAfter);
    }
    given(kpis(text));
    std::vector<std::string> first;
    for (int i = 0; i < 700 && first.empty(); ++i) {
        advance(1s);
        first = told();
    }
    EXPECT_THAT(first, ElementsAre("firing " + kList));
    EXPECT_EQ(listed(), "a, b, c, d, e, f");
}

TEST_F(WithoutValue, IsNotToldOfAListThatEndsBeforeItsTime) {
    given(kpis(kpi("a", kAfter)));
    while (evaluator_->alerts().empty()) {
        advance(1s);
    }
    EXPECT_EQ(evaluator_->alerts().at(0).state, alerting::AlertState::kPending);
    settle("a", 5);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_THAT(evaluator_->alerts(), IsEmpty());
}

TEST_F(WithoutValue, DoesNotListAKpiWhoseInstancesWentAway) {
    given(kpis(kpi("a", "critical: 4, no_data: {after: 10m, forget_instance_after: 20m}")));
    settle("a", {{"shop", "de"}}, 5);
    advance(30min);
    EXPECT_THAT(told(), ElementsAre("firing a/no_data/warning{shop=\"de\"}",
                                    "expired a/no_data/warning{shop=\"de\"}"));
    advance(1h);
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_THAT(evaluator_->alerts(), IsEmpty());
}

TEST_F(WithoutValue, KeepsTheListInItsEnd) {
    given(kpis(kpi("a", kAfter)));
    advance(11min);
    static_cast<void>(told());
    settle("a", 5);
    EXPECT_EQ(listed(), "a");
}

TEST_F(WithoutValue, SurvivesARestart) {
    given(kpis(kpi("a", kAfter) + kpi("b", kAfter)));
    advance(11min);
    EXPECT_THAT(told(), ElementsAre("firing " + kList));
    const Timestamp began = sink_.newest(kList).starts_at;
    restart();
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_EQ(evaluator_->alerts().at(0).alert.starts_at, began);
    settle("a", 5);
    EXPECT_EQ(listed(), "b");
    stop();
    advance(1s);
    push("b", 5);
    restart();
    EXPECT_THAT(told(), ElementsAre("resolved " + kList));
}

TEST_F(WithoutValue, EndsWithItsLastKpi) {
    given(kpis(kpi("a", kAfter) + kpi("b", kAfter)));
    advance(11min);
    static_cast<void>(told());
    given(kpis(kpi("b", kAfter)));
    EXPECT_EQ(listed(), "b");
    stop_and_give(kpis(kpi("c", kAfter)));
    EXPECT_THAT(told(), ElementsAre("removed " + kList));
}

TEST_F(WithoutValue, MovesWithTheOwner) {
    given(kpis(kpi("a", kAfter)));
    advance(11min);
    static_cast<void>(told());
    std::string text = kpis(kpi("a", kAfter));
    text.replace(text.find("owner: ops, unit"), 10, "owner: shop");
    given(text);
    EXPECT_THAT(told(), ElementsAre("resolved " + kList));
    advance(1min);
    EXPECT_THAT(told(), ElementsAre("firing kpis_without_value/no_data/warning{owner=\"shop\"}"));
}

TEST_F(WithoutValue, IsHandedOverAgainAfterAFailure) {
    given(kpis(kpi("a", kAfter)));
    sink_.fail(true);
    advance(11min);
    sink_.fail(false);
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("firing " + kList));
    sink_.fail(true);
    settle("a", 5);
    sink_.fail(false);
    advance(30s);
    EXPECT_THAT(told(), ElementsAre("resolved " + kList));
}

}  // namespace
}  // namespace kpid::evaluate::testing
