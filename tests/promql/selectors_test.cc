// Walking trees.

#include "kpid/promql/selectors.h"

#include "promql/parse_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::promql {
namespace {

TEST(Selectors, AreCollectedInOrderOfTheText) {
    const ExprPtr tree = testing::parse(
        "topk(scalar(a), b) + -(rate(c[5m]) / max_over_time(abs(d)[1h:])) or label_replace(e, 'x', "
        "'', '', '')");
    std::vector<std::string> names;
    for (const VectorSelector* selector : collect_selectors(*tree)) {
        names.push_back(selector->name);
    }
    EXPECT_THAT(names, ::testing::ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_TRUE(collect_selectors(*testing::parse("1 + time()")).empty());
}

TEST(Selectors, EveryNodeIsVisitedParentsFirst) {
    const ExprPtr tree = testing::parse("sum(a) + (1)");
    std::vector<ExprKind> kinds;
    for_each_node(*tree, [&](const Expr& node) { kinds.push_back(node.kind); });
    EXPECT_THAT(kinds, ::testing::ElementsAre(ExprKind::kBinary, ExprKind::kAggregate,
                                              ExprKind::kVectorSelector, ExprKind::kParen,
                                              ExprKind::kNumberLiteral));
    EXPECT_EQ(tree->height, 3U);
}

}  // namespace
}  // namespace kpid::promql
