// Routes: matching, inheritance, ids, owners.
#include "kpid/alerting/route.h"

#include "kpid/alerting/matcher_parser.h"

#include <gtest/gtest.h>

namespace kpid::alerting {
namespace {

Route route(std::string receiver, std::string_view matchers, std::vector<Route> routes = {}) {
    Route made;
    made.receiver = std::move(receiver);
    made.matchers = *parse_matchers(matchers);
    made.routes = std::move(routes);
    return made;
}

std::vector<std::string> receivers(const RouteTree& tree, const model::Labels& labels) {
    std::vector<std::string> names;
    for (const ResolvedRoute* taken : tree.match(labels)) {
        names.push_back(tree.receiver_of(*taken, labels));
    }
    return names;
}

TEST(Route, MatchesAsAlertmanagerDoes) {
    Route also = route("audit", "team=\"shop\"");
    also.continues = true;
    const Route root = route(
        "all", "",
        {also, route("shop", "team=\"shop\"", {route("shop-pager", "severity=~\"critical|page\"")}),
         route("db", "team=\"db\",severity!=\"info\"")});
    const auto tree = RouteTree::build(root);
    ASSERT_TRUE(tree);
    struct Case {
        std::string name;
        model::Labels labels;
        std::vector<std::string> want;
    };
    for (const Case& c : std::vector<Case>{
             {"no child", {{"team", "web"}}, {"all"}},
             {"continue", {{"team", "shop"}, {"severity", "info"}}, {"audit", "shop"}},
             {"deeper", {{"team", "shop"}, {"severity", "page"}}, {"audit", "shop-pager"}},
             {"both matchers", {{"team", "db"}, {"severity", "warning"}}, {"db"}},
             {"not both", {{"team", "db"}, {"severity", "info"}}, {"all"}},
             {"absent is empty", {{"team", "db"}}, {"db"}}}) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(receivers(*tree, c.labels), c.want);
    }
}

TEST(Route, InheritsWhatIsAbsent) {
    Route child = route("", "a=\"b\"");
    child.group_wait = std::chrono::seconds(7);
    Route root = route("ops", "", {child});
    root.group_by = std::vector<std::string>{"..."};
    root.immediate = Immediate{.escalation = false, .all_clear = true};
    const auto tree = RouteTree::build(root);
    ASSERT_TRUE(tree);
    const ResolvedRoute* found = tree->find("{}/{a=\"b\"}");
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->receiver, "ops");
    EXPECT_TRUE(found->group_by_all);
    EXPECT_EQ(found->group_wait, std::chrono::seconds(7));
    EXPECT_EQ(found->group_interval, std::chrono::minutes(1));
    EXPECT_EQ(found->repeat_interval, std::chrono::hours(4));
    EXPECT_FALSE(found->immediate.escalation);
    EXPECT_EQ(tree->all().size(), 2U);
}

TEST(Route, WithoutConfigurationGoesToTheOwner) {
    const RouteTree tree;
    EXPECT_EQ(receivers(tree, {{"owner", "anna"}}), std::vector<std::string>{"inbox"});
    const auto mapped = RouteTree::build({}, {{"anna", "mail"}});
    ASSERT_TRUE(mapped);
    EXPECT_EQ(receivers(*mapped, {{"owner", "anna"}}), std::vector<std::string>{"mail"});
    EXPECT_EQ(receivers(*mapped, {{"owner", "ben"}}), std::vector<std::string>{"inbox"});
    EXPECT_EQ(tree.match({})[0]->group_wait, std::chrono::seconds(1));
    EXPECT_EQ(tree.match({})[0]->group_by, std::vector<std::string>{"alertname"});
}

TEST(Route, RefusesWhatCannotBe) {
    Route negative;
    negative.group_wait = Duration(-1);
    Route mixed;
    mixed.group_by = std::vector<std::string>{"...", "a"};
    Route continuing;
    continuing.continues = true;
    Route deep;
    for (std::size_t i = 0; i < RouteTree::kDepthMax; ++i) {
        Route outer;
        outer.routes = {deep};
        deep = outer;
    }
    for (const Route& bad : {route("x", "a=\"b\""), negative, mixed, continuing, deep}) {
        EXPECT_FALSE(RouteTree::build(bad));
    }
}

TEST(Route, WritesGroupLabelsAsAlertmanagerDoes) {
    EXPECT_EQ(format_label_set({{"b", "two \"2\"\n"}, {"a", "ä"}}), R"({a="ä", b="two \"2\"\n"})");
    EXPECT_EQ(format_label_set({}), "{}");
}

}  // namespace
}  // namespace kpid::alerting
