// The table of contradictions.
#include "kpid/kpi/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kpid::kpi {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;

Condition at_least(double a) {
    return {.op = Operator::kAtLeast, .a = a};
}
Condition at_most(double a) {
    return {.op = Operator::kAtMost, .a = a};
}
Condition above(double a) {
    return {.op = Operator::kAbove, .a = a};
}
Condition below(double a) {
    return {.op = Operator::kBelow, .a = a};
}
Condition between(double a, double b) {
    return {.op = Operator::kBetween, .a = a, .b = b};
}
Condition outside(double a, double b) {
    return {.op = Operator::kOutside, .a = a, .b = b};
}

EffectiveLevel level(Condition condition, std::optional<Condition> recover = std::nullopt) {
    return EffectiveLevel{.condition = condition, .recover = recover, .severity = "warning"};
}

struct Case {
    const char* name;
    EffectiveLevels levels;
    const char* want;  // empty: no contradiction
};

void expect(const Case& c) {
    SCOPED_TRACE(c.name);
    const std::optional<std::string> found =
        find_contradiction(c.levels, model::Unit{.kind = model::UnitKind::kRatio});
    if (*c.want == '\0') {
        EXPECT_EQ(found, std::nullopt);
    } else {
        ASSERT_TRUE(found);
        EXPECT_THAT(*found, HasSubstr(c.want));
    }
}

TEST(Check, AcceptsWhatDecidesEveryValueOnce) {
    const Case cases[] = {
        {"nothing", {}, ""},
        {"target alone", {.target = at_least(0.2)}, ""},
        {"exact complement", {.target = at_most(0.01), .warning = level(above(0.01))}, ""},
        {"off target between",
         {.target = at_least(0.2), .warning = level(below(0.1)), .critical = level(below(0.05))},
         ""},
        {"critical alone, far away", {.target = at_least(4.5), .critical = level(below(4))}, ""},
        {"three bands",
         {.target = at_least(0.2), .warning = level(below(0.2)), .critical = level(below(0.1))},
         ""},
        {"warning as a band",
         {.target = at_least(0.2),
          .warning = level(between(0.1, 0.15)),
          .critical = level(below(0.1))},
         ""},
        {"hysteresis",
         {.target = at_most(0.01),
          .warning = level(above(0.01), at_most(0.008)),
          .critical = level(above(0.05), at_most(0.04))},
         ""},
        {"band",
         {.target = between(0.4, 0.6),
          .warning = level(outside(0.4, 0.6)),
          .critical = level(outside(0.2, 0.8))},
         ""},
        {"band that warns on one side",
         {.target = between(0.4, 0.6), .warning = level(above(0.6))},
         ""},
        {"levels without a target",
         {.warning = level(above(0.5)), .critical = level(above(0.9))},
         ""},
        {"unknown bounds",
         {.target = at_most(0.01), .warning = level({.op = Operator::kAtMost, .a = ExprBound{0}})},
         ""},
    };
    for (const Case& c : cases) {
        expect(c);
    }
}

TEST(Check, NamesAValueThatIsDecidedTwice) {
    const Case cases[] = {
        {"both at equality",
         {.target = at_least(0.2), .warning = level({.op = Operator::kAtMost, .a = 0.2})},
         "20 % meets the target and is a warning"},
        {"overlap", {.target = at_least(0.2), .warning = level(below(0.3))}, "meets the target"},
        {"wrong direction",
         {.target = at_least(0.2), .critical = level(above(0.1))},
         "meets the target and is critical"},
        {"critical overlaps a band",
         {.target = between(0.4, 0.6), .critical = level(outside(0.45, 0.6))},
         "meets the target and is critical"},
        {"critical swallows warning",
         {.target = at_least(0.2), .warning = level(below(0.05)), .critical = level(below(0.1))},
         "warning is never seen"},
        {"critical equals warning",
         {.warning = level(below(0.05)), .critical = level(below(0.05))},
         "warning is never seen"},
        {"left at once",
         {.warning = level(above(0.01), at_most(0.02))},
         "enters warning and, by its recover, leaves it at once"},
        {"critical left at once", {.critical = level(above(0.01), above(0.05))}, "enters critical"},
    };
    for (const Case& c : cases) {
        expect(c);
    }
}

TEST(Check, AllowsAWarningThatBecomesCriticalWhenItLasts) {
    EffectiveLevels levels{.warning = level(above(0.05)), .critical = level(above(0.05))};
    levels.critical->hold = minutes(30);
    expect({"same condition, longer wait", levels, ""});
}

TEST(Check, NamesAValueThatNothingDecides) {
    const Case cases[] = {
        {"gap at equality",
         {.target = above(0.2), .warning = level(below(0.2))},
         "20 % neither meets the target nor is a warning or critical"},
        {"gap before critical",
         {.target = above(0.2), .critical = level(below(0.2))},
         "20 % neither"},
        {"beyond the warning",
         {.target = at_least(0.2), .warning = level(between(0.05, 0.1))},
         "farther from the target"},
        {"beyond a band",
         {.target = between(0.4, 0.6), .warning = level(between(0.7, 0.8))},
         "farther from the target"},
    };
    for (const Case& c : cases) {
        expect(c);
    }
}

TEST(Check, RefusesBoundsThatCannotBeMeant) {
    expect({"swapped", {.target = between(0.6, 0.4)}, "takes the lower bound first"});
    expect({"infinite", {.target = at_least(HUGE_VAL)}, "needs a finite number"});
}

TEST(Check, LooksIntoOverridesAndNamesThem) {
    Definition kpi{.target = at_most(0.01),
                   .warning = Level{.condition = above(0.01)},
                   .overrides = {Override{.match = {model::Matcher::equal("shop", "at")},
                                          .target = at_most(0.03)}}};
    kpi.unit.kind = model::UnitKind::kRatio;
    const std::optional<std::string> found = find_contradiction(kpi);
    ASSERT_TRUE(found);
    EXPECT_THAT(*found, HasSubstr(R"(the override for {shop="at"}: )"));
    kpi.overrides.clear();
    EXPECT_EQ(find_contradiction(kpi), std::nullopt);
}

}  // namespace
}  // namespace kpid::kpi
