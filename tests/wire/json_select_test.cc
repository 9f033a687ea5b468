// Samples out of any JSON by pointers.

#include "kpid/wire/json_select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kpid::wire {
namespace {

constexpr Timestamp kNow(1'000'000);

JsonSelection select(const JsonSelectSpec& spec, std::string_view document) {
    const auto selector = JsonSelector::make(spec);
    EXPECT_TRUE(selector) << selector.error().message;
    auto selection = selector->select(document, kNow);
    EXPECT_TRUE(selection) << selection.error().message;
    return *std::move(selection);
}

std::string shown(const JsonSelection& selection) {
    std::string text;
    for (const model::SeriesSample& sample : selection.samples) {
        text += sample.labels.to_string() + " " + std::to_string(sample.value) + " " +
                (sample.time == kNow ? "now" : format_rfc3339(sample.time)) + "\n";
    }
    return text;
}

TEST(JsonSelect, ReadsEachItemOfAnArray) {
    const JsonSelectSpec spec{.items = "/rows",
                              .metrics = {{.metric = "orders_net_eur",
                                           .value = "/net",
                                           .scale = 0.01,
                                           .time = "/booked",
                                           .labels = {{"shop", "/shop"}, {"open", "/open"}}}}};
    EXPECT_EQ(shown(select(spec, R"({"rows": [
        {"net": 1250, "booked": "2026-05-12", "shop": "a", "open": true},
        {"net": "300", "booked": 1767225600.5, "shop": 7, "open": null}]})")),
              "orders_net_eur{open=\"true\", shop=\"a\"} 12.500000 2026-05-12T00:00:00.000Z\n"
              "orders_net_eur{shop=\"7\"} 3.000000 2026-01-01T00:00:00.500Z\n");
}

TEST(JsonSelect, ReadsTheEntriesOfAMapAndTheWholeDocument) {
    EXPECT_EQ(shown(select({.items = "/q", .metrics = {{.metric = "depth", .value = "/d"}}},
                           R"({"q": {"x": {"d": 1}, "y": {"d": true}}})")),
              "depth 1.000000 now\ndepth 1.000000 now\n");
    EXPECT_EQ(shown(select(
                  {.metrics = {{.metric = "a", .value = "/x/0"}, {.metric = "b", .value = "/y"}}},
                  R"({"x": [5], "y": false})")),
              "a 5.000000 now\nb 0.000000 now\n");
}

TEST(JsonSelect, CountsBadItemsAndKeepsTheGoodOnes) {
    const JsonSelection selection = select(
        {.items = "",
         .metrics = {{.metric = "a", .value = "/v", .time = "/t", .labels = {{"l", "/l"}}}}},
        R"([{"v":1,"t":5,"l":"x"},{"t":5,"l":"x"},{"v":"q","t":5,"l":"x"},{"v":1,"t":"no","l":"x"},
                   {"v":1,"t":5,"l":[]},{"v":1,"t":5},{"v":1,"l":"x"},{"v":null},7,{"v":1e400,"t":5,"l":"x"}])");
    EXPECT_EQ(selection.samples.size(), 1U);
    EXPECT_EQ(selection.item_count, 10U);
    EXPECT_EQ(selection.error_count, 8U);
    EXPECT_EQ(selection.errors.at(0).item, 1U);
    EXPECT_EQ(selection.errors.at(0).error, "the value is absent");
}

TEST(JsonSelect, FailsWholeOnADocumentThatCannotServe) {
    const auto selector =
        JsonSelector::make({.items = "/rows", .metrics = {{.metric = "a", .value = ""}}});
    ASSERT_TRUE(selector);
    EXPECT_FALSE(selector->select("<html>", kNow));
    EXPECT_FALSE(selector->select("{}", kNow));
    EXPECT_FALSE(selector->select(R"({"rows": 5})", kNow));
}

TEST(JsonSelect, NamesTheBadPointer) {
    const auto selector = JsonSelector::make({.metrics = {{.metric = "a", .value = "v"}}});
    ASSERT_FALSE(selector);
    EXPECT_EQ(selector.error().message,
              "metric a: value: JSON Pointer \"v\" does not begin with '/'");
    EXPECT_FALSE(JsonSelector::make({.items = "rows"}));
    EXPECT_FALSE(
        JsonSelector::make({.metrics = {{.metric = "a", .labels = {{"__name__", "/x"}}}}}));
}

}  // namespace
}  // namespace kpid::wire
