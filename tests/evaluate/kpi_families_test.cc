// KPIs as metric families.
#include "evaluate/kpi_families.h"

#include "evaluate/evaluate_fixture.h"

#include <fmt/format.h>

namespace kpid::evaluate::testing {
namespace {

class KpiFamilies : public EvaluateTest {
protected:
    /// `name{labels} value`, of one family.
    [[nodiscard]] std::vector<std::string> lines(const std::string& family,
                                                 std::size_t instances_max = 100) const {
        std::vector<std::string> out;
        for (const wire::MetricFamily& candidate :
             kpi_families(evaluator_->kpis(), instances_max)) {
            for (const wire::EncodedSample& sample : candidate.samples) {
                if (candidate.name == family) {
                    out.push_back(fmt::format("{} {}", sample.labels.to_string(), sample.value));
                }
            }
        }
        return out;
    }
};

TEST_F(KpiFamilies, ShowValueTargetThresholdsAndStatus) {
    given(kpis(kpi("csat",
                   "goal: delight, category: customer, target: 4.5, warning: 4.4, "
                   "critical: 4")));
    const Timestamp pushed_at = now();
    settle("csat", {{"shop", "de"}}, 4.2);
    EXPECT_THAT(lines("kpid_kpi_value"), ElementsAre("{kpi=\"csat\", shop=\"de\"} 4.2"));
    EXPECT_THAT(lines("kpid_kpi_target"), ElementsAre("{kpi=\"csat\", shop=\"de\"} 4.5"));
    EXPECT_THAT(lines("kpid_kpi_threshold"),
                ElementsAre("{kpi=\"csat\", level=\"warning\", shop=\"de\"} 4.4",
                            "{kpi=\"csat\", level=\"critical\", shop=\"de\"} 4"));
    EXPECT_THAT(lines("kpid_kpi_status"),
                ElementsAre("{kpi=\"csat\", shop=\"de\", status=\"on_target\"} 0",
                            "{kpi=\"csat\", shop=\"de\", status=\"off_target\"} 0",
                            "{kpi=\"csat\", shop=\"de\", status=\"warning\"} 1",
                            "{kpi=\"csat\", shop=\"de\", status=\"critical\"} 0",
                            "{kpi=\"csat\", shop=\"de\", status=\"no_data\"} 0",
                            "{kpi=\"csat\", shop=\"de\", status=\"stale\"} 0",
                            "{kpi=\"csat\", shop=\"de\", status=\"unsure\"} 0",
                            "{kpi=\"csat\", shop=\"de\", status=\"untargeted\"} 0"));
    EXPECT_THAT(lines("kpid_kpi_last_sample_timestamp_seconds"),
                ElementsAre(fmt::format("{{kpi=\"csat\", shop=\"de\"}} {}", pushed_at.seconds())));
    EXPECT_THAT(lines("kpid_kpi_instances_hidden"), ElementsAre("{kpi=\"csat\"} 0"));
    EXPECT_THAT(lines("kpid_kpi_info"),
                ElementsAre("{better=\"higher\", category=\"customer\", goal=\"delight\", "
                            "kpi=\"csat\", owner=\"ops\", title=\"The csat\", unit=\"count\"} 1"));
    EXPECT_THAT(lines("kpid_goal_info"),
                ElementsAre("{goal=\"delight\", owner=\"ops\", title=\"Customers who stay\", "
                            "type=\"strategic\"} 1"));
}

TEST_F(KpiFamilies, ShowTheWorstInstancesAndCountTheRest) {
    given(kpis(kpi("csat", "critical: 4, limit: 3")));
    push_all({{"csat", {{"shop", "a"}}, 5},
              {"csat", {{"shop", "b"}}, 5},
              {"csat", {{"shop", "c"}}, 5},
              {"csat", {{"shop", "d"}}, 1}});
    advance(30s);
    EXPECT_THAT(lines("kpid_kpi_value", 1), ElementsAre("{kpi=\"csat\", shop=\"d\"} 1"));
    EXPECT_THAT(lines("kpid_kpi_instances_hidden", 1), ElementsAre("{kpi=\"csat\"} 3"));
    EXPECT_THAT(lines("kpid_kpi_instances_hidden", 3), ElementsAre("{kpi=\"csat\"} 1"));
}

TEST_F(KpiFamilies, RenameLabelsThatCollide) {
    given(kpis(kpi("csat", "warning: none, target: 1")));
    push_all({{"csat", {{"kpi", "x"}, {"level", "y"}, {"status", "z"}}, 1},
              {"csat", {{"kpi", "x"}, {"exported_kpi", "w"}}, 2}});
    advance(30s);
    EXPECT_THAT(
        lines("kpid_kpi_value"),
        ::testing::UnorderedElementsAre(
            "{exported_kpi=\"x\", exported_level=\"y\", exported_status=\"z\", kpi=\"csat\"} 1",
            "{exported_exported_kpi=\"x\", exported_kpi=\"w\", kpi=\"csat\"} 2"));
}

TEST_F(KpiFamilies, ShowAKpiThatNeverHadAValue) {
    given(kpis(kpi("csat", "target: 1")));
    EXPECT_THAT(lines("kpid_kpi_value"), IsEmpty());
    EXPECT_THAT(lines("kpid_kpi_status"),
                ::testing::Contains("{kpi=\"csat\", status=\"no_data\"} 1"));
}

TEST_F(KpiFamilies, LeaveOutAValueThatIsMissing) {
    given(kpis(kpi("csat", "target: 1")));
    settle("csat", 5);
    advance(6min);
    EXPECT_THAT(lines("kpid_kpi_value"), IsEmpty());
    EXPECT_THAT(lines("kpid_kpi_target"), ElementsAre("{kpi=\"csat\"} 1"));
    EXPECT_THAT(lines("kpid_kpi_status"),
                ::testing::Contains("{kpi=\"csat\", status=\"stale\"} 1"));
}

}  // namespace
}  // namespace kpid::evaluate::testing
