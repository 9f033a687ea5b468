#include "http/targets_api.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::http {
namespace {

std::string counts(std::string_view query) {
    const ingest::TargetView up{.labels = {{"job", "a"}}, .scrape_pool = "a"};
    const ingest::TargetView dropped{
        .discovered_labels = {{"__address__", "x"}}, .dropped = true, .scrape_pool = "b"};
    const std::string body = targets_response({up, dropped}, net::parse_form(query).value()).body;
    simdjson::dom::parser parser;
    const auto data = parser.parse(body)["data"];
    return std::to_string(data["activeTargets"].get_array().size()) + " " +
           std::to_string(data["droppedTargets"].get_array().size()) + " " +
           simdjson::minify(data["droppedTargetCounts"]);
}

TEST(TargetsApi, ShowsTheStatesAndThePoolThatAreAskedFor) {
    EXPECT_EQ(counts(""), R"(1 1 {"a":0,"b":1})");
    EXPECT_EQ(counts("state=any"), R"(1 1 {"a":0,"b":1})");
    EXPECT_EQ(counts("state=Dropped"), R"(0 1 {"a":0,"b":1})");
    EXPECT_EQ(counts("state=active"), "1 0 {}");
    EXPECT_EQ(counts("state=other"), "0 0 {}");
    EXPECT_EQ(counts("scrapePool=b"), R"(0 1 {"a":0,"b":1})");
}

TEST(TargetsApi, ShowsWhatTargetsSayOfTheirMetrics) {
    using List = std::vector<model::MetricMetadata>;
    const auto threads = std::make_shared<const List>(
        List{{"go_threads", model::MetricType::kGauge, "Threads.", ""}, {"x"}});
    const std::vector<ingest::TargetMetadata> targets{{{{"job", "test"}}, threads},
                                                      {{{"job", "blackbox"}}, threads}};
    const auto ask = [&targets](std::string_view query) {
        const auto answer = target_metadata_response(targets, net::parse_form(query).value());
        return answer ? answer->body : answer.error().message;
    };
    const std::string head = R"({"status":"success","data":[)";
    EXPECT_EQ(ask("metric=go_threads&limit=1"),
              head + R"({"target":{"job":"test"},"type":"gauge","help":"Threads.","unit":""}]})");
    EXPECT_EQ(ask("match_target={job=\"blackbox\"}"),
              head + R"({"target":{"job":"blackbox"},"metric":"go_threads","type":"gauge",)"
                     R"("help":"Threads.","unit":""},)"
                     R"({"target":{"job":"blackbox"},"metric":"x","type":"unknown","help":"",)"
                     R"("unit":""}]})");
    EXPECT_EQ(ask("match_target={job=\"none\"}"), head + "]}");
    EXPECT_EQ(ask("limit=0"), head + "]}");
    EXPECT_EQ(ask("limit=x"), "limit must be a number");
    EXPECT_EQ(
        ask("match_target={"),
        "invalid parameter \"match_target\": 1:2: parse error: unexpected end of input inside "
        "braces");
}

}  // namespace
}  // namespace kpid::http
