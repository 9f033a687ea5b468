// The filters and pages of the rules.

#include "http/rules_api.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::http {
namespace {

class RulesApi : public ::testing::Test {
protected:
    void SetUp() override {
        evaluate::RuleView up{.name = "Up", .query = "up == 1", .labels = {{"team", "a"}}};
        up.alerts.push_back({.alert = {.labels = {{"alertname", "Up"}}}});
        evaluate::RuleView record{.recording = true, .name = "a:b", .query = "vector(1)"};
        evaluate::RuleView labelled = record;
        labelled.name = "c:d";
        labelled.labels = {{"team", "{{ $externalURL }}"}};
        groups_ = {{.name = "one", .file = "/f1", .rules = {up, record}},
                   {.name = "empty", .file = "/f1"},
                   {.name = "two", .file = "/f2", .rules = {labelled}}};
    }
    // "one:Up,a:b two:c:d" - the groups that are shown and their rules.
    [[nodiscard]] std::string shown(std::string_view query) {
        const Result<net::HttpResponse> response = ask(query);
        if (!response) {
            return response.error().message;
        }
        simdjson::dom::parser parser;
        std::string text;
        for (const auto group : parser.parse(response->body)["data"]["groups"].get_array()) {
            text += std::string(group["name"].get_string().value()) + "(";
            for (const auto rule : group["rules"].get_array()) {
                text += std::string(rule["name"].get_string().value()) + ",";
            }
            text += ")";
        }
        return text;
    }
    [[nodiscard]] Result<net::HttpResponse> ask(std::string_view query) const {
        return rules_response(groups_, net::parse_form(query).value());
    }

    std::vector<evaluate::RuleGroupView> groups_;
};

TEST_F(RulesApi, FiltersAsPrometheusDoes) {
    struct Case {
        std::string_view query;
        std::string_view want;
    };
    const std::vector<Case> cases{
        {"", "one(Up,a:b,)two(c:d,)"},
        {"type=alert", "one(Up,)"},
        {"type=RECORD", "one(a:b,)two(c:d,)"},
        {"type=x", "invalid parameter \"type\": not supported value \"x\""},
        {"rule_name[]=Up&rule_name[]=c:d", "one(Up,)two(c:d,)"},
        {"rule_group[]=two", "two(c:d,)"},
        {"rule_group[]=none", ""},
        {"file[]=/f1&rule_name[]=Up", "one(Up,)"},
        {"match[]={team=\"a\"}", "one(Up,)"},
        {"match[]={team=~\".*external.*\"}", "two(c:d,)"},
        {"match[]={team=\"x\"}&match[]={team=\"a\"}", "one(Up,)"},
        {"match[]={team=\"\"}", "match[] must contain at least one non-empty matcher"},
        {"exclude_alerts=x",
         "invalid parameter \"exclude_alerts\": error converting exclude_alerts: "
         "strconv.ParseBool: parsing \"x\": invalid syntax"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(shown(c.query), c.want) << c.query;
    }
}

TEST_F(RulesApi, AlertsCanBeLeftOut) {
    EXPECT_NE(ask("")->body.find(R"("alerts":[{)"), std::string::npos);
    EXPECT_NE(ask("exclude_alerts=TRUE")->body.find(R"("alerts":null)"), std::string::npos);
}

TEST_F(RulesApi, PagesFollowTheirTokens) {
    const std::string first = ask("group_limit=1")->body;
    simdjson::dom::parser parser;
    const std::string token(parser.parse(first)["data"]["groupNextToken"].get_string().value());
    EXPECT_EQ(token.size(), 64U);
    EXPECT_EQ(shown("group_limit=1"), "one(Up,a:b,)");
    EXPECT_EQ(shown("group_limit=1&group_next_token=" + token), "two(c:d,)");
    EXPECT_EQ(ask("group_limit=1&group_next_token=" + token)->body.find("groupNextToken"),
              std::string::npos);
    EXPECT_EQ(ask("group_limit=2")->body.find("groupNextToken"), std::string::npos);
    EXPECT_EQ(shown("group_next_token=" + token),
              "invalid parameter \"group_next_token\": group_limit needs to be present in order to "
              "paginate over the groups");
    EXPECT_EQ(shown("group_limit=0&group_next_token=" + token),
              "invalid parameter \"group_limit\": group_limit needs to be greater than 0");
    EXPECT_EQ(shown("group_limit=1&group_next_token=none"),
              "invalid parameter \"group_next_token\": invalid group_next_token 'none'. were rule "
              "groups changed?");
}

}  // namespace
}  // namespace kpid::http
