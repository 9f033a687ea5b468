// The parser: how texts become trees.

#include "kpid/promql/parser.h"

#include "promql/parse_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace kpid::promql {
namespace {

using testing::all_features;
using ::testing::ElementsAre;
using testing::grouped;
using testing::parse;
using testing::parse_error;

TEST(Parser, GroupsOperatorsByPrecedence) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const std::vector<Case> cases{
        {"1 + 2 * 3", "(1 + (2 * 3))"},
        {"1 * 2 + 3", "((1 * 2) + 3)"},
        {"1 - 2 - 3", "((1 - 2) - 3)"},
        {"2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"},
        {"-1 ^ 2", "-((1 ^ 2))"},
        {"-a * b", "(-(a) * b)"},
        {"2 ^ -a * b", "((2 ^ -(a)) * b)"},
        {"2 ^ -a ^ b", "(2 ^ -((a ^ b)))"},
        {"a % b atan2 c / d", "(((a % b) atan2 c) / d)"},
        {"a + b == bool c - d", "((a + b) == (c - d))"},
        {"a or b and c unless d", "(a or ((b and c) unless d))"},
        {"a and b or c", "((a and b) or c)"},
        {"a > b > c", "((a > b) > c)"},
        {"(a or b) and c", "((a or b) and c)"},
        {"- - a", "-(-(a))"},
        {"+a", "+(a)"},
        {"-foo[5m:] offset 5m", "-(foo[5m:] offset 5m)"},
        {"a + b offset 5m", "(a + b offset 5m)"},
        {"a offset 5m - 3", "(a offset 5m - 3)"},
        {"a offset -2^2", "(a offset -2s ^ 2)"},
        {"a offset -(5m) * 2", "(a offset -(5m) * 2)"},
        {"a offset (5m) * 2", "a offset (5m) * 2"},
        {"a @ 5 ^ 2", "(a @ 5.000 ^ 2)"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        auto tree = parse_expr(c.text, all_features());
        if (!tree) {
            // Range vectors under a sign are refused by the checks, not by the grammar.
            EXPECT_EQ(c.text.front(), '-') << tree.error().message;
            continue;
        }
        EXPECT_EQ(grouped(**tree), c.want);
    }
}

TEST(Parser, FoldsSignsIntoNumbers) {
    EXPECT_EQ(as<NumberLiteral>(*parse("-1")).value, -1);
    EXPECT_EQ(as<NumberLiteral>(*parse("--1")).value, 1);
    EXPECT_EQ(as<NumberLiteral>(*parse("+Inf")).value, HUGE_VAL);
    const ExprPtr duration = parse("-1h30m");
    EXPECT_EQ(as<NumberLiteral>(*duration).value, -5400);
    EXPECT_TRUE(as<NumberLiteral>(*duration).is_duration);
    EXPECT_EQ(duration->position, (Position{0, 6}));
}

TEST(Parser, ReadsSelectors) {
    const ExprPtr tree = parse(R"(up{job="a", "x.y"!='b', z=~`c.*`, w!~"d",})");
    const auto& selector = as<VectorSelector>(*tree);
    EXPECT_EQ(selector.name, "up");
    std::vector<std::string> matchers;
    for (const model::Matcher& matcher : selector.matchers) {
        matchers.push_back(matcher.to_string());
    }
    EXPECT_THAT(matchers, ElementsAre("job=\"a\"", "\"x.y\"!=\"b\"", "z=~\"c.*\"", "w!~\"d\"",
                                      "__name__=\"up\""));
    const ExprPtr quoted = parse(R"({"a.b", c="d"})");
    EXPECT_EQ(as<VectorSelector>(*quoted).name, "");
    EXPECT_EQ(as<VectorSelector>(*quoted).matchers[0], model::Matcher::equal("__name__", "a.b"));
}

TEST(Parser, TakesKeywordsAsMetricNames) {
    for (const std::string_view name :
         {"sum", "by", "without", "offset", "start", "end", "step", "range", "and", "or", "unless",
          "fill", "fill_left", "anchored", "smoothed", "max_of", "topk", "group", "a:b"}) {
        SCOPED_TRACE(name);
        EXPECT_EQ(as<VectorSelector>(*parse(name)).name, name);
        EXPECT_EQ(as<VectorSelector>(*parse(std::string(name) + "{a='b'}")).name, name);
        const ExprPtr product = parse(std::string("1 * ") + std::string(name));
        EXPECT_EQ(as<VectorSelector>(*as<BinaryExpr>(*product).rhs).name, name);
    }
}

TEST(Parser, ReadsTimeModifiersInAnyOrder) {
    for (const std::string_view text :
         {"up offset -5m @ 12.5", "up @ 12.5 offset -5m", "UP @ +12.5 OFFSET -300"}) {
        SCOPED_TRACE(text);
        const ExprPtr tree = parse(text);
        const TimeModifiers& modifiers = as<VectorSelector>(*tree).modifiers;
        EXPECT_EQ(modifiers.offset, std::chrono::minutes(-5));
        ASSERT_TRUE(modifiers.at.has_value());
        EXPECT_EQ(modifiers.at->time.ms(), 12500);
        EXPECT_EQ(tree->position, (Position{0, static_cast<std::uint32_t>(text.size())}));
    }
    const ExprPtr matrix = parse("up[5m] @ end() offset 1h");
    const auto& range = as<MatrixSelector>(*matrix);
    EXPECT_EQ(range.selector->modifiers.offset, std::chrono::hours(1));
    EXPECT_EQ(range.selector->modifiers.at->kind, AtModifier::Kind::kEnd);
    EXPECT_EQ(range.range, std::chrono::minutes(5));
}

TEST(Parser, ReadsSubqueries) {
    const ExprPtr tree = parse("rate(up[1m])[1h:] offset 2m");
    const auto& subquery = as<SubqueryExpr>(*tree);
    EXPECT_EQ(subquery.range, std::chrono::hours(1));
    EXPECT_EQ(subquery.step, Duration(0));
    EXPECT_EQ(subquery.modifiers.offset, std::chrono::minutes(2));
    EXPECT_EQ(subquery.type, ValueType::kMatrix);
    EXPECT_EQ(as<SubqueryExpr>(*parse("up[1h:90]")).step, std::chrono::seconds(90));
    EXPECT_EQ(as<SubqueryExpr>(*parse("up @ start()[1h:10ms]")).step, Duration(10));
}

TEST(Parser, ReadsAggregations) {
    for (const std::string_view text :
         {"topk by (a, \"b.c\", sum,) (5, up)", "TOPK(5, up) BY (a, 'b.c', sum)"}) {
        SCOPED_TRACE(text);
        const ExprPtr tree = parse(text);
        const auto& aggregate = as<AggregateExpr>(*tree);
        EXPECT_EQ(aggregate.op, AggregateOperator::kTopk);
        EXPECT_FALSE(aggregate.without);
        EXPECT_THAT(aggregate.grouping, ElementsAre("a", "b.c", "sum"));
        EXPECT_EQ(as<NumberLiteral>(*aggregate.param).value, 5);
        EXPECT_EQ(tree->position.end, text.size());
    }
    EXPECT_TRUE(as<AggregateExpr>(*parse("sum without () (up)")).without);
    EXPECT_EQ(as<AggregateExpr>(*parse("sum(up)")).param, nullptr);
}

TEST(Parser, ReadsBinaryModifiers) {
    const ExprPtr tree = parse("a == bool on (x, y,) group_left (z) b");
    const auto& binary = as<BinaryExpr>(*tree);
    EXPECT_TRUE(binary.return_bool);
    EXPECT_TRUE(binary.matching->on);
    EXPECT_EQ(binary.matching->cardinality, MatchCardinality::kManyToOne);
    EXPECT_THAT(binary.matching->labels, ElementsAre("x", "y"));
    EXPECT_THAT(binary.matching->include, ElementsAre("z"));

    const ExprPtr set = parse("a and ignoring (x) b");
    EXPECT_EQ(as<BinaryExpr>(*set).matching->cardinality, MatchCardinality::kManyToMany);
    const ExprPtr filled = parse("a + fill_right(-2) fill_left(1m) b");
    EXPECT_EQ(as<BinaryExpr>(*filled).matching->fill_lhs, 60);
    EXPECT_EQ(as<BinaryExpr>(*filled).matching->fill_rhs, -2);
    EXPECT_FALSE(as<BinaryExpr>(*parse("a + 1")).matching.has_value());
    EXPECT_EQ(parse("1 + 1")->type, ValueType::kScalar);
    EXPECT_EQ(parse("a + 1")->type, ValueType::kVector);
}

TEST(Parser, ReadsCalls) {
    const ExprPtr tree = parse("label_join(up, 'a', \"-\", `b`, 'c')");
    const auto& call = as<Call>(*tree);
    EXPECT_EQ(call.function, find_function("label_join"));
    EXPECT_EQ(call.arguments.size(), 5U);
    EXPECT_EQ(as<StringLiteral>(*call.arguments[2]).value, "-");
    EXPECT_EQ(call.type, ValueType::kVector);
    EXPECT_EQ(parse("time()")->type, ValueType::kScalar);
    EXPECT_EQ(parse("start()")->kind, ExprKind::kCall);
    EXPECT_TRUE(as<VectorSelector>(*as<Call>(*parse("info(up, {})")).arguments[1])
                    .bypass_empty_matcher_check);
}

TEST(Parser, ReadsDurationExpressions) {
    const ExprPtr tree = parse("up[5m + step() * 2]");
    const auto& range = *as<MatrixSelector>(*tree).range_expr;
    EXPECT_EQ(range.op, DurationOperator::kAdd);
    EXPECT_EQ(as<NumberLiteral>(*range.lhs).value, 300);
    EXPECT_EQ(as<DurationExpr>(*range.rhs).op, DurationOperator::kMul);
    const ExprPtr offset = parse("up offset max_of(1m, range())");
    EXPECT_EQ(as<VectorSelector>(*offset).modifiers.offset_expr->op, DurationOperator::kMaxOf);
}

TEST(Parser, ReadsMatchers) {
    const auto matchers = parse_metric_selector("up{a='b'}");
    ASSERT_TRUE(matchers.has_value());
    EXPECT_THAT(*matchers, ElementsAre(model::Matcher::equal("a", "b"),
                                       model::Matcher::equal("__name__", "up")));
    EXPECT_EQ(parse_metric_selector("{}")->size(), 0U);
    EXPECT_EQ(parse_metric_selector("up[5m]").error().message,
              "1:3: parse error: unexpected \"[\"");
    EXPECT_EQ(parse_metric_selector("sum(up)").error().message,
              "1:4: parse error: unexpected \"(\"");
    EXPECT_EQ(parse_metric_selector("").error().code, Code::kInvalidArgument);
}

TEST(Parser, KeepsItsTreesWithoutTheText) {
    ExprPtr tree;
    {
        const std::string text = "sum by (job) (rate(requests_total{code=~\"5..\"}[5m]))";
        tree = parse(text);
    }
    EXPECT_EQ(to_string(*tree), "sum by (job) (rate(requests_total{code=~\"5..\"}[5m]))");
}

TEST(Parser, HoldsItsLimits) {
    const auto repeat = [](std::string_view text, std::size_t count) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i) {
            all += text;
        }
        return all;
    };
    for (const std::size_t depth : {900UL, 100'000UL}) {
        const std::vector<std::string> texts{
            repeat("(", depth) + "a" + repeat(")", depth),
            repeat("abs(", depth) + "a" + repeat(")", depth),
            repeat("sum(", depth) + "a" + repeat(")", depth),
            repeat("-", depth) + "a",
            "a" + repeat(" + a", depth),
            "a" + repeat(" ^ a", depth),
            "a[" + repeat("-", depth) + "step()]",
            "a[5m" + repeat("+step()", depth) + "]",
            "a offset " + repeat("max_of(1,", depth) + "5m" + repeat(")", depth),
        };
        for (const std::string& text : texts) {
            SCOPED_TRACE(text.substr(0, 20));
            const std::string error = parse_error(text);
            if (depth < kExprDepthMax) {
                EXPECT_EQ(error, "");
            } else {
                EXPECT_THAT(error, ::testing::HasSubstr("nested deeper than 1000 levels"));
            }
        }
    }
    EXPECT_EQ(parse_error(repeat("a", kExprBytesMax + 1)),
              "expression is longer than 1048576 bytes");
    ParseOptions shallow;
    shallow.depth_max = 3;
    EXPECT_EQ(parse_error("((a))", shallow), "");
    EXPECT_NE(parse_error("(((a)))", shallow), "");
}

TEST(Functions, AreFoundByName) {
    EXPECT_EQ(find_function("rate")->arguments[0], ValueType::kMatrix);
    EXPECT_EQ(find_function("label_join")->variadic, -1);
    EXPECT_TRUE(find_function("info")->experimental);
    EXPECT_EQ(find_function("Rate"), nullptr);
    EXPECT_EQ(find_function(""), nullptr);
    // The table's first and last.
    EXPECT_NE(find_function("abs"), nullptr);
    EXPECT_NE(find_function("year"), nullptr);
}

}  // namespace
}  // namespace kpid::promql
