#include "ctl/query_params.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace kpid::ctl {
namespace {

constexpr Timestamp kNow{1'800'000'000'000};

TEST(QueryParams, OfARangeWithoutAnEndGoToNow) {
    const net::HttpParams params = *query_params({.expression = "up", .start = "1799996400"}, kNow);
    EXPECT_EQ(params.get_or("end", ""), format_rfc3339(kNow));
    EXPECT_EQ(params.get_or("step", ""), "14");
    EXPECT_EQ(query_params({.start = "1799999999"}, kNow)->get_or("step", ""), "1");
    EXPECT_EQ(query_params({.start = "yesterday"}, kNow)->get_or("step", ""), "1");
}

TEST(QueryParams, AreKeptWhereGiven) {
    const net::HttpParams range =
        *query_params({.expression = "up", .start = "0", .end = "9", .step = "3s"}, kNow);
    EXPECT_EQ(range.get_or("start", ""), "0");
    EXPECT_EQ(range.get_or("end", ""), "9");
    EXPECT_EQ(range.get_or("step", ""), "3s");
    const net::HttpParams instant = *query_params({.expression = "up", .time = "5"}, kNow);
    EXPECT_EQ(instant.get_or("time", ""), "5");
    EXPECT_EQ(instant.get_or("end", "none"), "none");
    EXPECT_EQ(instant.get_or("known_at", "none"), "none");
    const net::HttpParams then = *query_params({.expression = "up", .known_at = "7"}, kNow);
    EXPECT_EQ(then.get_or("known_at", ""), "7");
}

TEST(QueryParams, RelativeTimesAreOfNow) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"now", "2027-01-15T08:00:00.000Z"},
        {"-6h", "2027-01-15T02:00:00.000Z"},
        {"now-1d12h", "2027-01-13T20:00:00.000Z"},
        {"now+5m", "2027-01-15T08:05:00.000Z"},
        {"1799996400", "1799996400"},
        {"2027-01-15T08:00:00+01:00", "2027-01-15T08:00:00+01:00"},
        {"yesterday", "yesterday"}};
    for (const auto& [text, want] : cases) {
        EXPECT_EQ(*absolute_time(text, kNow), want);
    }
    for (const char* bad : {"-", "-6", "-x", "now-", "now*2"}) {
        const Result<std::string> time = absolute_time(bad, kNow);
        EXPECT_EQ(time.has_value(), std::string_view(bad) == "now*2") << bad;
    }
    const net::HttpParams range = *query_params({.start = "-1h", .end = "-30m"}, kNow);
    EXPECT_EQ(range.get_or("start", ""), "2027-01-15T07:00:00.000Z");
    EXPECT_EQ(range.get_or("end", ""), "2027-01-15T07:30:00.000Z");
    EXPECT_EQ(range.get_or("step", ""), "7");
    EXPECT_FALSE(query_params({.time = "-x"}, kNow));
}

}  // namespace
}  // namespace kpid::ctl
