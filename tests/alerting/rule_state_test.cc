// Prometheus' alerting rules: states, labels, limits, series; and recording rules.
#include "rule_fixture.h"

namespace kpid::alerting {
namespace {

class RuleStateTest : public RuleFixture {};

TEST_F(RuleStateTest, FiresAtOnceWithoutAHold) {
    EXPECT_EQ(walk(0, {"a"}), "started a");
    EXPECT_EQ(walk(1, {"a"}), "");
    EXPECT_EQ(walk(2, {}), "ended a resolved");
    EXPECT_EQ(active(), "");
    EXPECT_EQ(walk(3, {"a"}), "started a");
    EXPECT_TRUE(state_.ended().empty());
}

TEST_F(RuleStateTest, IsPendingUntilItsHoldElapsed) {
    rule_.hold = minutes(5);
    EXPECT_EQ(walk(0, {"a"}), "");
    EXPECT_EQ(active(), "a pending");
    EXPECT_EQ(walk(4, {"a", "b"}), "");
    EXPECT_EQ(walk(5, {"a", "b"}), "started a");
    EXPECT_EQ(walk(6, {"a"}), "");
    EXPECT_EQ(active(), "a firing") << "a pending one that goes leaves nothing";
    EXPECT_EQ(last_.transitions.size(), 0U);
    EXPECT_EQ(state_.active().at(0).active_at, at(0));
    EXPECT_EQ(state_.active().at(0).alert.starts_at, at(5));
}

TEST_F(RuleStateTest, KeepsFiringForAWhile) {
    rule_.keep_firing_for = minutes(5);
    walk(0, {"a"});
    EXPECT_EQ(walk(1, {}), "");
    EXPECT_EQ(walk(5, {}), "");
    EXPECT_EQ(active(), "a firing");
    EXPECT_EQ(walk(5, {"a"}), "");
    EXPECT_EQ(walk(6, {}), "");
    EXPECT_EQ(walk(10, {}), "");
    EXPECT_EQ(walk(11, {}), "ended a resolved");
}

TEST_F(RuleStateTest, TakesLabelsOfElementThenRuleThenName) {
    rule_.labels = {{"severity", "page"}, {"origin", "$job"}, {"zone", ""}, {"alertname", "other"}};
    rule_.annotations = {{"summary", "$v"}, {"empty", ""}};
    value_ = 7;
    (void)evaluate(0, {{.labels = {{"__name__", "up"}, {"job", "a"}, {"zone", "1"}}, .value = 7}});
    const Alert& alert = last_.transitions.at(0).alert;
    EXPECT_EQ(alert.labels.to_string(),
              R"({alertname="down", job="a", origin="a", severity="page"})");
    EXPECT_EQ(alert.identity, alert.labels);
    EXPECT_EQ(alert.annotations.at("summary"), "7");
    EXPECT_EQ(alert.annotations.at("empty"), "");
    (void)evaluate(1, {{.labels = {{"__name__", "up"}, {"job", "a"}, {"zone", "1"}}, .value = 8}});
    EXPECT_EQ(text(last_.transitions), "changed a");
    EXPECT_EQ(state_.active().at(0).value, 8);
}

TEST_F(RuleStateTest, RefusesTwoElementsWithTheSameLabels) {
    walk(0, {"a"});
    rule_.labels = {{"job", "same"}};
    EXPECT_EQ(walk(1, {"a", "b"}),
              "vector contains metrics with the same labelset after applying alert labels");
    EXPECT_EQ(active(), "a firing");
}

TEST_F(RuleStateTest, DropsAllBeyondTheLimit) {
    rule_.limit = 2;
    EXPECT_EQ(walk(0, {"a", "b"}), "started a, started b");
    EXPECT_EQ(walk(1, {"a", "b", "c"}), "ended a resolved, ended b resolved");
    ASSERT_TRUE(last_.error);
    EXPECT_EQ(last_.error->message, "exceeded limit of 2 with 3 alerts");
    EXPECT_EQ(active(), "");
    EXPECT_TRUE(last_.samples.empty());
    EXPECT_EQ(walk(2, {"c"}), "started c");
    EXPECT_FALSE(last_.error);
}

TEST_F(RuleStateTest, WritesItsSeriesAndEndsThem) {
    rule_.hold = minutes(1);
    walk(0, {"a"});
    ASSERT_EQ(last_.samples.size(), 2U);
    EXPECT_EQ(last_.samples[0].labels.to_string(),
              R"(ALERTS{alertname="down", alertstate="pending", job="a"})");
    EXPECT_EQ(last_.samples[1].labels.to_string(),
              R"(ALERTS_FOR_STATE{alertname="down", job="a"})");
    EXPECT_EQ(last_.samples[1].value, 1'800'000'000);
    walk(1, {"a"});
    ASSERT_EQ(last_.samples.size(), 3U);
    EXPECT_EQ(last_.samples[0].labels.get("alertstate"), "firing");
    EXPECT_TRUE(model::is_stale_marker(last_.samples[2].value));
    EXPECT_EQ(last_.samples[2].labels.get("alertstate"), "pending");
    walk(2, {});
    ASSERT_EQ(last_.samples.size(), 2U);
    EXPECT_TRUE(model::is_stale_marker(last_.samples[0].value));
    EXPECT_TRUE(model::is_stale_marker(last_.samples[1].value));
    walk(3, {});
    EXPECT_TRUE(last_.samples.empty());
}

TEST_F(RuleStateTest, ARemovedRuleEndsItsAlertsAndSeries) {
    walk(0, {"a"});
    const RuleUpdate removed = state_.remove_all(at(1));
    EXPECT_EQ(text(removed.transitions), "ended a removed");
    EXPECT_EQ(removed.samples.size(), 2U);
    EXPECT_TRUE(model::is_stale_marker(removed.samples[0].value));
}

TEST_F(RuleStateTest, KeepsEndedAlertsForAWhile) {
    walk(0, {"a"});
    walk(1, {});
    walk(16, {});
    EXPECT_EQ(state_.ended().size(), 1U);
    walk(17, {});
    EXPECT_TRUE(state_.ended().empty());
}

TEST_F(RuleStateTest, OffersAlertsAgainAfterTheDelay) {
    rule_.hold = minutes(1);
    walk(0, {"a"});
    EXPECT_TRUE(state_.due_for_sending(at(0)).empty());
    walk(1, {"a"});
    EXPECT_EQ(state_.due_for_sending(at(1)).size(), 1U);
    EXPECT_EQ(state_.due_for_sending(at(2)).size(), 0U);
    EXPECT_EQ(state_.due_for_sending(at(2) + std::chrono::milliseconds(1)).size(), 1U);
    walk(3, {});
    ASSERT_EQ(state_.due_for_sending(at(3)).size(), 1U) << "an end is sent at once";
    EXPECT_EQ(state_.due_for_sending(at(4)).size(), 0U);
    EXPECT_EQ(state_.due_for_sending(at(5)).size(), 1U);
}

TEST(RecordingStateTest, NamesAndLabelsItsSeries) {
    RecordingState state;
    const RecordingRule rule{.name = "job:up:sum", .labels = {{"team", "x"}, {"job", ""}}};
    const std::vector<RuleValue> vector{
        {.labels = {{"__name__", "up"}, {"job", "a"}, {"zone", "1"}}, .value = 3}};
    const auto out = state.update(Timestamp(1000), rule, vector);
    ASSERT_TRUE(out);
    ASSERT_EQ(out->size(), 1U);
    EXPECT_EQ(out->at(0).labels.to_string(), R"(job:up:sum{team="x", zone="1"})");
    EXPECT_EQ(out->at(0).value, 3);
    EXPECT_EQ(out->at(0).time, Timestamp(1000));
}

TEST(RecordingStateTest, EndsSeriesThatVanish) {
    RecordingState state;
    const RecordingRule rule{.name = "r"};
    const RuleValue a{.labels = {{"job", "a"}}, .value = 1};
    const RuleValue b{.labels = {{"job", "b"}}, .value = 1};
    ASSERT_TRUE(state.update(Timestamp(1), rule, std::vector{a, b}));
    const auto out = state.update(Timestamp(2), rule, std::vector{b});
    ASSERT_TRUE(out);
    ASSERT_EQ(out->size(), 2U);
    EXPECT_EQ(out->at(1).labels.get("job"), "a");
    EXPECT_TRUE(model::is_stale_marker(out->at(1).value));
    EXPECT_EQ(state.update(Timestamp(3), rule, std::vector{b})->size(), 1U);
    EXPECT_EQ(state.remove_all(Timestamp(4)).size(), 1U);
}

TEST(RecordingStateTest, RefusesSameLabelsAndTooMany) {
    RecordingState state;
    const std::vector<RuleValue> vector{{.labels = {{"__name__", "x"}, {"job", "a"}}, .value = 1},
                                        {.labels = {{"__name__", "y"}, {"job", "a"}}, .value = 1}};
    EXPECT_EQ(state.update(Timestamp(1), {.name = "r"}, vector).error().message,
              "vector contains metrics with the same labelset after applying rule labels");
    const std::vector<RuleValue> two{{.labels = {{"job", "a"}}, .value = 1},
                                     {.labels = {{"job", "b"}}, .value = 1}};
    EXPECT_EQ(state.update(Timestamp(1), {.name = "r", .limit = 1}, two).error().message,
              "exceeded limit of 1 with 2 series");
}

}  // namespace
}  // namespace kpid::alerting
