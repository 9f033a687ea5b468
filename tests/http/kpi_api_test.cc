#include "http/kpi_api.h"

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

}  // namespace
}  // namespace kpid::http
