#include "http/kpi_api.h"

#include "http/kpi_past_api.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

evaluate::KpiView view_of(std::vector<std::pair<double, kpi::ResolvedCondition>> instances) {
    evaluate::KpiView view;
    for (const auto& [value, target] : instances) {
        kpi::InstanceReport instance;
        instance.value = value;
        instance.target = target;
        view.report.instances.push_back(instance);
    }
    return view;
}

TEST(KpiApi, GapIsTheWorstInstancesShareOfItsTarget) {
    using kpi::Operator;
    EXPECT_DOUBLE_EQ(gap_of(view_of({{8, {Operator::kAtLeast, 10}}})), 0.2);
    EXPECT_DOUBLE_EQ(gap_of(view_of({{12, {Operator::kAtMost, 10}}})), 0.2);
    EXPECT_DOUBLE_EQ(
        gap_of(view_of({{12, {Operator::kAtMost, 10}}, {15, {Operator::kAtMost, 10}}})), 0.5);
    EXPECT_LT(gap_of(view_of({{12, {Operator::kAtLeast, 10}}})), 0);
    EXPECT_DOUBLE_EQ(gap_of(view_of({{25, {Operator::kBetween, 10, 20}}})), 0.25);
    EXPECT_LT(gap_of(view_of({})), -1e300);
}

TEST(KpiApi, ShowsAConstantTargetWithoutAnyValue) {
    const config::KpiEntry entry{
        .definition = {.target = kpi::Condition{.op = kpi::Operator::kAtMost, .a = 20.0}}};
    evaluate::KpiView view;
    view.entry = &entry;
    ASSERT_TRUE(target_of(view));
    EXPECT_EQ(target_of(view)->a, 20);
    view.report.instances.resize(1);
    EXPECT_FALSE(target_of(view)) << "an override took it from the only instance";
    view.report.instances[0].target = kpi::ResolvedCondition{kpi::Operator::kAtMost, 30};
    EXPECT_EQ(target_of(view)->a, 30);
    view.report.instances.resize(2);
    EXPECT_EQ(target_of(view)->a, 20);
    const config::KpiEntry moving{
        .definition = {.target =
                           kpi::Condition{.op = kpi::Operator::kAtMost, .a = kpi::ExprBound{0}}}};
    view.entry = &moving;
    EXPECT_FALSE(target_of(view));
}

TEST(KpiApi, AStatusThatIsNotKnownIsNull) {
    const config::KpiEntry entry{.definition = {.id = "tickets", .title = "Open tickets"}};
    ShownKpi shown{.view = view_of({{8, {kpi::Operator::kAtLeast, 10}}}), .statuses = {{}}};
    shown.view.entry = &entry;
    JsonWriter json;
    write_kpi(json, shown);
    const std::string text = std::move(json).take();
    EXPECT_NE(text.find(R"("value":8,"target":{"at_least":10},"status":null,"since":null,)"),
              std::string::npos)
        << text;
    const auto listed = list_response({shown}, {});
    ASSERT_TRUE(listed.has_value());
    EXPECT_NE(listed->body.find("tickets"), std::string::npos);
    net::HttpParams params;
    params.add("status", "warning");
    EXPECT_EQ(list_response({shown}, params)->body.find("tickets"), std::string::npos);
}

TEST(KpiApi, KnowsWhoAsksForThePast) {
    net::HttpParams params;
    EXPECT_FALSE(asks_for_the_past(params));
    params.add("known_at", "");
    EXPECT_FALSE(asks_for_the_past(params));
    params.add("time", "5");
    EXPECT_TRUE(asks_for_the_past(params));
}

}  // namespace
}  // namespace kpid::http
