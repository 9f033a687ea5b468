// Operators at and around their bounds, resolving and describing conditions.
#include "kpid/kpi/condition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace kpid::kpi {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Condition, IsExactAtEquality) {
    struct Case {
        Operator op;
        double value;
        bool want;
    };
    const double a = 0.1;
    const double b = 0.3;
    const double above_a = std::nextafter(a, 1.0);
    const double below_a = std::nextafter(a, 0.0);
    const double above_b = std::nextafter(b, 1.0);
    const double below_b = std::nextafter(b, 0.0);
    const Case cases[] = {
        {Operator::kAtLeast, a, true},        {Operator::kAtLeast, below_a, false},
        {Operator::kAtLeast, kInf, true},     {Operator::kAtMost, a, true},
        {Operator::kAtMost, above_a, false},  {Operator::kAtMost, -kInf, true},
        {Operator::kAbove, a, false},         {Operator::kAbove, above_a, true},
        {Operator::kBelow, a, false},         {Operator::kBelow, below_a, true},
        {Operator::kBetween, a, true},        {Operator::kBetween, b, true},
        {Operator::kBetween, below_a, false}, {Operator::kBetween, above_b, false},
        {Operator::kBetween, below_b, true},  {Operator::kOutside, a, false},
        {Operator::kOutside, b, false},       {Operator::kOutside, below_a, true},
        {Operator::kOutside, above_b, true},  {Operator::kOutside, 0.2, false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(testing::Message() << to_string(c.op) << " " << c.value);
        EXPECT_EQ(holds(c.op, c.value, a, b), c.want);
        EXPECT_EQ(holds(negated(c.op), c.value, a, b), !c.want);
    }
}

TEST(Condition, NeverHoldsForNan) {
    for (const Operator op : kOperators) {
        SCOPED_TRACE(to_string(op));
        EXPECT_FALSE(holds(op, kNan, 1, 2));
        EXPECT_FALSE(holds(op, 5, kNan, 2));
        if (takes_two_bounds(op)) {
            EXPECT_FALSE(holds(op, 5, 1, kNan));
        }
    }
}

TEST(Condition, PrintsAndParsesOperators) {
    for (const Operator op : kOperators) {
        EXPECT_EQ(parse_operator(to_string(op)), op);
        EXPECT_EQ(negated(negated(op)), op);
    }
    EXPECT_FALSE(parse_operator("At_least"));
    EXPECT_FALSE(parse_operator(""));
}

TEST(Condition, ResolvesOnlyWithEveryAnswer) {
    const Condition condition{.op = Operator::kBetween, .a = 1.0, .b = ExprBound{1}};
    using Bounds = std::vector<std::optional<double>>;
    EXPECT_EQ(resolve(condition, Bounds{7.0, 9.0}),
              (ResolvedCondition{.op = Operator::kBetween, .a = 1, .b = 9}));
    EXPECT_EQ(resolve(condition, Bounds{7.0, std::nullopt}), std::nullopt);
    EXPECT_EQ(resolve(condition, Bounds{7.0, kNan}), std::nullopt);
    EXPECT_EQ(resolve(condition, Bounds{7.0}), std::nullopt);
    EXPECT_EQ(resolve(condition, {}), std::nullopt);
    EXPECT_FALSE(condition.is_numeric());

    const Condition one{.op = Operator::kAbove, .a = 3.0, .b = ExprBound{0}};
    EXPECT_TRUE(one.is_numeric());
    EXPECT_TRUE(resolve(one, {}));
}

TEST(Condition, DescribesItselfForProgramsAndPeople) {
    const model::Unit percent{.kind = model::UnitKind::kRatio};
    const ResolvedCondition at_least{.op = Operator::kAtLeast, .a = 0.2};
    EXPECT_EQ(describe_json(at_least), R"({"at_least":0.2})");
    EXPECT_EQ(describe_text(at_least, percent), "at least 20 %");
    const ResolvedCondition between{.op = Operator::kBetween, .a = 1, .b = 2.5};
    EXPECT_EQ(describe_json(between), R"({"between":[1,2.5]})");
    EXPECT_EQ(describe_text(between, {}), "between 1 and 2.5");
}

}  // namespace
}  // namespace kpid::kpi
