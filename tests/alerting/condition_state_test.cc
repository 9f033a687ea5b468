// Identity, details, instances, restarts and series of a KPI's alerts.
#include "condition_fixture.h"

namespace kpid::alerting {
namespace {

class ConditionStateTest : public ConditionFixture {};

TEST_F(ConditionStateTest, IdentityPrefixesLabelsThatCollide) {
    EXPECT_EQ(alert_identity(base(), {{"shop", "de"}, {"severity", "x"}, {"owner", "y"}},
                             "threshold", "critical"),
              (model::Labels{{"alertname", "csat"},
                             {"kpi", "csat"},
                             {"condition", "threshold"},
                             {"severity", "critical"},
                             {"shop", "de"},
                             {"exported_severity", "x"},
                             {"exported_owner", "y"}}));
}

TEST_F(ConditionStateTest, AttachedLabelsMayChangeWhileItFires) {
    walk(0, Zone::kWarning);
    const Alert before = transitions_[0].alert;
    EXPECT_EQ(before.labels.get("owner"), "sre");
    EXPECT_EQ(before.identity.get("owner"), "");
    attached_ = {{"owner", "ops"}, {"kpi", "forged"}};
    EXPECT_EQ(walk(1, Zone::kWarning), "changed warning");
    const Alert& after = transitions_[0].alert;
    EXPECT_EQ(after.labels.get("owner"), "ops");
    EXPECT_EQ(after.labels.get("kpi"), "csat");
    EXPECT_EQ(after.fingerprint(), before.fingerprint());
    EXPECT_EQ(after.starts_at, at(0));
    annotations_ = {{"summary", "worse"}};
    EXPECT_EQ(walk(2, Zone::kUnknown), "changed warning");
    value_ = 9;
    EXPECT_EQ(walk(3, Zone::kWarning), "") << "another value alone is no news";
    EXPECT_EQ(alerts_.active().at(0).value, 9);
    EXPECT_EQ(alerts_.active().at(0).alert.kpi->value, 9);
}

TEST_F(ConditionStateTest, InstancesAndConditionsAreAlertsOfTheirOwn) {
    InstanceInput de = input(Zone::kWarning, {{"shop", "de"}});
    de.conditions.push_back(
        {.condition = "no_data", .levels = {{.severity = "warning", .active = true}}});
    EXPECT_EQ(update(0, {.instances = {de, input(Zone::kCritical, {{"shop", "at"}})}}),
              "started warning, started warning, started critical");
    EXPECT_EQ(transitions_[1].alert.labels.get("condition"), "no_data");
    EXPECT_EQ(update(1, {.instances = {input(Zone::kGood, {{"shop", "de"}})}}),
              "ended warning resolved")
        << "what is not listed stays as it is";
    EXPECT_EQ(alerts_.active().size(), 2U);
}

TEST_F(ConditionStateTest, AnInstanceThatGoesEndsAsExpired) {
    warning_hold_ = minutes(0);
    update(0, {.instances = {input(Zone::kWarning, {{"shop", "de"}}),
                             input(Zone::kWarning, {{"shop", "at"}})}});
    EXPECT_EQ(update(1, {.expired = {{{"shop", "de"}}, {{"shop", "none"}}}}),
              "ended warning expired");
    EXPECT_EQ(transitions_[0].alert.labels.get("shop"), "de");
    EXPECT_EQ(alerts_.active().size(), 1U);
}

TEST_F(ConditionStateTest, ARemovedDefinitionEndsEverything) {
    critical_hold_ = minutes(5);
    walk(0, Zone::kCritical);
    EXPECT_EQ(text(alerts_.remove_all(at(1))), "ended warning removed");
    EXPECT_TRUE(alerts_.active().empty());
    EXPECT_EQ(text(alerts_.remove_all(at(2))), "");
}

TEST_F(ConditionStateTest, KeepsEndedAlertsForAWhile) {
    walk(0, Zone::kWarning);
    walk(1, Zone::kGood);
    ASSERT_EQ(alerts_.ended().size(), 1U);
    EXPECT_EQ(alerts_.ended()[0].ended, EndReason::kResolved);
    walk(16, Zone::kGood);
    EXPECT_EQ(alerts_.ended().size(), 1U);
    walk(17, Zone::kGood);
    EXPECT_TRUE(alerts_.ended().empty());

    walk(20, Zone::kWarning);
    walk(21, Zone::kGood);
    walk(22, Zone::kWarning);
    EXPECT_TRUE(alerts_.ended().empty()) << "the new one must not be ended by the old end";
}

TEST_F(ConditionStateTest, AfterAStartAnAlertEndsOnlyOnANewerSample) {
    newest_sample_ = at(0);
    walk(0, Zone::kWarning);
    restart();
    EXPECT_EQ(active(), "warning firing");
    EXPECT_EQ(walk(10, Zone::kGood), "");
    EXPECT_EQ(walk(11, Zone::kCritical), "");
    newest_sample_ = at(11);
    EXPECT_EQ(walk(12, Zone::kGood), "ended warning resolved");
    EXPECT_EQ(transitions_[0].alert.starts_at, at(0));
}

TEST_F(ConditionStateTest, AfterAStartAnAlertEndsWhenItMay) {
    walk(0, Zone::kWarning);
    restart();
    EXPECT_EQ(walk(10, Zone::kGood), "");
    EXPECT_EQ(walk(11, Zone::kWarning), "") << "it is not told twice";
    may_end_ = true;
    EXPECT_EQ(walk(12, Zone::kGood), "ended warning resolved");
}

TEST_F(ConditionStateTest, WhatOnlyWaitedGoesOnAfterAStart) {
    warning_hold_ = minutes(5);
    walk(0, Zone::kWarning);
    restart();
    EXPECT_EQ(walk(5, Zone::kWarning), "started warning");
    EXPECT_EQ(alerts_.active().at(0).active_at, at(0));
}

TEST_F(ConditionStateTest, StoresWhatMatters) {
    walk(0, Zone::kGood);
    (void)alerts_.snapshot();
    walk(1, Zone::kGood);
    EXPECT_FALSE(alerts_.changed_since_snapshot());
    walk(2, Zone::kWarning);
    EXPECT_TRUE(alerts_.changed_since_snapshot());
    (void)alerts_.snapshot();
    walk(3, Zone::kWarning);
    EXPECT_FALSE(alerts_.changed_since_snapshot());
}

TEST_F(ConditionStateTest, RefusesDamagedStates) {
    value_ = std::nan("");
    annotations_ = {{"summary", "\"ü\"\n"}};
    walk(0, Zone::kWarning);
    walk(1, Zone::kCritical);
    const std::string good = alerts_.snapshot();
    ASSERT_TRUE(ConditionAlerts::restore(base(), good));
    for (std::size_t size = 0; size < good.size(); ++size) {
        const Result<ConditionAlerts> restored =
            ConditionAlerts::restore(base(), good.substr(0, size));
        ASSERT_FALSE(restored);
        ASSERT_EQ(restored.error().code, Code::kDataLoss);
    }
    EXPECT_FALSE(ConditionAlerts::restore(base(), R"({"version":9,"tracks":[],"ended":[]})"));
    EXPECT_FALSE(
        ConditionAlerts::restore(base(), R"({"version":1,"tracks":[{"levels":[]}],"ended":[]})"));
}

TEST_F(ConditionStateTest, IsRecordedAsSeriesThatEndWithIt) {
    critical_hold_ = minutes(5);
    walk(0, Zone::kCritical);
    const std::vector<model::SeriesSample> first = alerts_.series(at(0));
    ASSERT_EQ(first.size(), 4U);
    EXPECT_EQ(first[0].labels.to_string(),
              R"(ALERTS{alertname="csat", alertstate="pending", condition="threshold", )"
              R"(kpi="csat", severity="critical"})");
    EXPECT_EQ(first[0].value, 1);
    EXPECT_EQ(first[1].labels.metric_name(), "ALERTS_FOR_STATE");
    EXPECT_EQ(first[1].value, 1'800'000'000);
    EXPECT_EQ(first[2].labels.get("alertstate"), "firing");

    walk(5, Zone::kCritical);
    int stale = 0;
    for (const model::SeriesSample& sample : alerts_.series(at(5))) {
        stale += model::is_stale_marker(sample.value) ? 1 : 0;
    }
    EXPECT_EQ(stale, 3) << "critical pending, and both of warning";
    (void)alerts_.remove_all(at(6));
    EXPECT_EQ(alerts_.series(at(6)).size(), 2U);
    EXPECT_TRUE(alerts_.series(at(7)).empty());
}

TEST_F(ConditionStateTest, SaysWhichSampleCausedAChange) {
    const MonoTime cause{std::chrono::seconds(7)};
    update(0, {.instances = {input(Zone::kWarning)}, .cause_accepted_at = cause});
    EXPECT_EQ(transitions_.at(0).alert.cause_accepted_at, cause);
    update(1, {.instances = {input(Zone::kGood)}});
    EXPECT_EQ(transitions_.at(0).alert.cause_accepted_at, MonoTime{});
}

}  // namespace
}  // namespace kpid::alerting
