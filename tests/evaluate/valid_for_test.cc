// How long values hold for KPIs, and what KPIs were in the past.
#include "evaluate/evaluate_fixture.h"
#include "evaluate/kpi_past.h"

namespace kpid::evaluate::testing {
namespace {

const std::string kSources =
    "sources:\n"
    "  crm: {interval: 15m, http_json: {url: 'http://x/', metrics: {customers: {value: /v}}}}\n"
    "  pulse: {valid_for: 1m, host: {}}\n"
    "metrics: {sold: {kind: total, per: day}}\n";

class KpiValidFor : public EvaluateTest {
protected:
    void given_kpi(const std::string& id, const std::string& more = "target: 5") {
        given(kpis(kpi(id, more)) + kSources);
    }
    void push_of(const std::string& metric, const std::string& job, double value) {
        push(metric, {{"job", job}}, value);
        advance(30s);
    }
    [[nodiscard]] std::vector<PastInstance> past(const std::string& id, const PastQuery& query) {
        const auto instances =
            kpi_past(storage_, evaluator_->snapshot(), *config_->find_kpi(id), query);
        EXPECT_TRUE(instances.has_value());
        return instances ? *instances : std::vector<PastInstance>();
    }
};

TEST_F(KpiValidFor, AValueHoldsForTwiceTheInterval) {
    given_kpi("customers");
    push_of("customers", "crm", 7);
    advance(29min);
    EXPECT_EQ(status("customers", {{"job", "crm"}}), "on_target");
    advance(1min);
    EXPECT_EQ(status("customers", {{"job", "crm"}}), "stale");
}

TEST_F(KpiValidFor, NoDataWaitsThreeTimesAsLong) {
    given_kpi("customers");
    push_of("customers", "crm", 7);
    advance(2h);
    EXPECT_EQ(status("customers", {{"job", "crm"}}), "no_data") << "90 minutes without a value";
    given_kpi("customers");
    push_of("customers", "crm", 7);
    advance(30min + 80min);
    EXPECT_EQ(status("customers", {{"job", "crm"}}), "stale");
}

TEST_F(KpiValidFor, WhatIsGivenMayBeShorter) {
    given_kpi("load");
    push_of("load", "pulse", 7);
    EXPECT_EQ(status("load", {{"job", "pulse"}}), "on_target");
    advance(1min);
    EXPECT_EQ(status("load", {{"job", "pulse"}}), "stale");
    advance(3min);
    EXPECT_EQ(status("load", {{"job", "pulse"}}), "no_data");
}

TEST_F(KpiValidFor, ATotalHoldsForItsPeriod) {
    given_kpi("sold");
    push("sold", 7);
    advance(23h);
    EXPECT_EQ(status("sold"), "on_target");
    advance(1h + 30s);
    EXPECT_EQ(status("sold"), "stale");
}

TEST_F(KpiValidFor, ASampleOfTodayTriggersWhereATotalHoldsForADay) {
    given_kpi("sold", "target: 5, critical: 1, evaluate: on_sample");
    advance(1h);
    push_all({{"sold", {}, 0, -50min}});
    EXPECT_THAT(told(), ElementsAre("firing sold/threshold/critical"));
    push_all({{"sold", {{"x", "old"}}, 0, -25h}});
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(KpiValidFor, ThePastHasValuesTargetsAndTheStatusesThatWereRecorded) {
    given_kpi("sold", "target: {at_least: {expr: 'plan'}}, warning: none");
    const Timestamp start = now();
    push_all({{"plan", {}, 10}, {"sold", {}, 12}});
    push_all({{"kpid_kpi_status", {{"kpi", "sold"}, {"status", "on_target"}}, 1},
              {"kpid_kpi_status", {{"kpi", "sold"}, {"status", "warning"}}, 0}},
             model::AppendOrigin::kRecorded);
    const auto points = [&](const PastQuery& query) {
        const auto instances = past("sold", query);
        EXPECT_EQ(instances.size(), 1U);
        return instances.empty() ? std::vector<PastPoint>() : instances[0].points;
    };
    const auto history = points({.start = start, .end = start + 10min, .step = 5min});
    ASSERT_EQ(history.size(), 3U);
    EXPECT_EQ(history[0].value, 12);
    EXPECT_EQ(history[0].status, kpi::Status::kOnTarget);
    EXPECT_EQ(history[0].target, (kpi::ResolvedCondition{kpi::Operator::kAtLeast, 10}));
    EXPECT_EQ(history[1].time, start + 5min);
    EXPECT_EQ(history[1].value, 12) << "a day's total";
    EXPECT_EQ(history[1].status, std::nullopt) << "nothing was recorded any more";
    EXPECT_EQ(history[1].target, std::nullopt) << "the plan holds for five minutes";
    push_all({{"kpid_kpi_target", {{"kpi", "sold"}}, 9}}, model::AppendOrigin::kRecorded);
    const auto recorded = points({.start = start, .end = start});
    ASSERT_EQ(recorded.size(), 1U);
    EXPECT_EQ(recorded[0].target, (kpi::ResolvedCondition{kpi::Operator::kAtLeast, 9}))
        << "the bound that was in force";
    EXPECT_TRUE(past("sold", {.start = start - 1min, .end = start - 1min}).empty());
    EXPECT_FALSE(kpi_past(storage_, evaluator_->snapshot(), *config_->find_kpi("sold"),
                          {.start = start, .end = start - 1min}));
}

TEST_F(KpiValidFor, ThePastIsWhatWasKnownThen) {
    given_kpi("sold");
    const Timestamp day = now();
    const model::SeriesSample first{{{model::kMetricName, "sold"}}, day, 4};
    const model::SeriesSample second{{{model::kMetricName, "sold"}}, day, 6};
    const auto append = [&](const model::SeriesSample& sample, Timestamp at) {
        ASSERT_TRUE(storage_.append(
            {.samples = {&sample, 1}, .now = at, .kind = model::MetricKind::kTotal}));
    };
    storage_.declare_kinds({{"sold", model::MetricKind::kTotal}});
    append(first, day + 1min);
    append(second, day + 10min);
    const auto value = [&](std::optional<Timestamp> known_at) {
        const auto instances =
            past("sold", {.start = day + 20min, .end = day + 20min, .known_at = known_at});
        return instances.empty() ? std::nullopt : instances[0].points.at(0).value;
    };
    EXPECT_EQ(value(std::nullopt), 6);
    EXPECT_EQ(value(day + 5min), 4);
    EXPECT_EQ(value(day), std::nullopt);
}

}  // namespace
}  // namespace kpid::evaluate::testing
