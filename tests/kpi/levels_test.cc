// Defaults and overrides of levels.
#include "kpid/kpi/levels.h"

#include <gtest/gtest.h>

namespace kpid::kpi {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

Condition at_most(double a) {
    return {.op = Operator::kAtMost, .a = a};
}
Condition above(double a) {
    return {.op = Operator::kAbove, .a = a};
}

Definition error_ratio() {
    return Definition{
        .id = "error_ratio",
        .better = Better::kLower,
        .target = at_most(0.01),
        .warning = Level{.condition = above(0.01), .hold = minutes(1), .recover = at_most(0.008)},
        .critical = Level{.condition = above(0.05), .severity = "page"},
        .hold = seconds(10),
        .keep_firing_for = seconds(20),
    };
}

TEST(Levels, TakeWhatIsLeftOpenFromTheDefinition) {
    const EffectiveLevels levels = base_levels(error_ratio());
    EXPECT_EQ(levels.warning->hold, minutes(1));
    EXPECT_EQ(levels.warning->keep_firing_for, seconds(20));
    EXPECT_EQ(levels.warning->severity, "warning");
    EXPECT_EQ(levels.critical->hold, seconds(10));
    EXPECT_EQ(levels.critical->severity, "page");
    EXPECT_FALSE(levels.critical->recover);
}

TEST(Levels, MissingTheTargetIsAWarningWhenNoLevelIsGiven) {
    Definition kpi = error_ratio();
    kpi.warning = {};
    kpi.critical = {};
    EXPECT_EQ(base_levels(kpi).warning->condition, above(0.01));
    EXPECT_EQ(base_levels(kpi).warning->hold, seconds(10));

    kpi.warning = NoLevel{};
    EXPECT_FALSE(base_levels(kpi).warning);

    kpi.warning = {};
    kpi.critical = NoLevel{};
    EXPECT_FALSE(base_levels(kpi).warning);

    kpi.critical = Level{.condition = above(0.05)};
    EXPECT_FALSE(base_levels(kpi).warning);

    kpi.critical = {};
    kpi.target.reset();
    EXPECT_FALSE(base_levels(kpi).warning);
}

TEST(Levels, MergeTheFirstMatchingOverrideKeyByKey) {
    Definition kpi = error_ratio();
    kpi.overrides = {
        Override{.match = {model::Matcher::equal("shop", "outlet")},
                 .target = at_most(0.03),
                 .warning = LevelPatch{.condition = above(0.03)},
                 .critical = LevelPatch{.none = true},
                 .keep_firing_for = seconds(0)},
        Override{.match = {}, .target = at_most(0.5)},
    };
    const EffectiveLevels outlet = levels_for(kpi, model::Labels{{"shop", "outlet"}});
    EXPECT_EQ(outlet.target, at_most(0.03));
    EXPECT_EQ(outlet.warning->condition, above(0.03));
    EXPECT_EQ(outlet.warning->hold, minutes(1));
    EXPECT_EQ(outlet.warning->recover, at_most(0.008));
    EXPECT_EQ(outlet.warning->keep_firing_for, seconds(0));
    EXPECT_FALSE(outlet.critical);

    const EffectiveLevels other = levels_for(kpi, model::Labels{{"shop", "de"}});
    EXPECT_EQ(other.target, at_most(0.5));
    EXPECT_EQ(other.warning->condition, above(0.01));
}

TEST(Levels, DeriveTheDefaultWarningFromTheOverriddenTarget) {
    const Definition kpi{
        .target = at_most(1),
        .overrides = {Override{.match = {model::Matcher::equal("shop", "at")},
                               .target = at_most(2)},
                      Override{.match = {model::Matcher::equal("shop", "ch")},
                               .warning = LevelPatch{.none = true}}},
    };
    EXPECT_EQ(levels_for(kpi, model::Labels{{"shop", "at"}}).warning->condition, above(2));
    EXPECT_FALSE(levels_for(kpi, model::Labels{{"shop", "ch"}}).warning);
    EXPECT_EQ(levels_for(kpi, {}).warning->condition, above(1));
}

TEST(Levels, ReadBareNumbersByWhatIsBetter) {
    EXPECT_EQ(bare_operator(Better::kLower, LevelKind::kTarget), Operator::kAtMost);
    EXPECT_EQ(bare_operator(Better::kLower, LevelKind::kWarning), Operator::kAbove);
    EXPECT_EQ(bare_operator(Better::kHigher, LevelKind::kTarget), Operator::kAtLeast);
    EXPECT_EQ(bare_operator(Better::kHigher, LevelKind::kCritical), Operator::kBelow);
    EXPECT_EQ(bare_operator(Better::kHigher, LevelKind::kRecover), Operator::kAtLeast);
    EXPECT_FALSE(bare_operator(Better::kBand, LevelKind::kTarget));
}

TEST(Levels, NoDataDefaultsFollowItsStatus) {
    EXPECT_EQ(NoData{}.alert_severity(), "warning");
    EXPECT_EQ(NoData{.status = NoDataStatus::kKeep}.alert_severity(), std::nullopt);
    EXPECT_EQ(NoData{.status = NoDataStatus::kOk}.alert_severity(), std::nullopt);
    EXPECT_EQ(NoData{.status = NoDataStatus::kCritical}.alert_severity(), "critical");
    EXPECT_EQ((NoData{.alert = "none"}).alert_severity(), std::nullopt);
    EXPECT_EQ((NoData{.status = NoDataStatus::kKeep, .alert = "info"}).alert_severity(), "info");
    EXPECT_EQ(NoData{}.after_or_default(minutes(5)), minutes(15));
    EXPECT_EQ(NoData{.after = minutes(2)}.after_or_default(minutes(5)), minutes(2));
}

}  // namespace
}  // namespace kpid::kpi
