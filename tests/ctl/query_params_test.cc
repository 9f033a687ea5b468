#include "ctl/query_params.h"

#include <gtest/gtest.h>

namespace kpid::ctl {
namespace {

constexpr Timestamp kNow{1'800'000'000'000};

TEST(QueryParams, OfARangeWithoutAnEndGoToNow) {
    const net::HttpParams params = query_params({.expression = "up", .start = "1799996400"}, kNow);
    EXPECT_EQ(params.get_or("end", ""), format_rfc3339(kNow));
    EXPECT_EQ(params.get_or("step", ""), "14");
    EXPECT_EQ(query_params({.start = "1799999999"}, kNow).get_or("step", ""), "1");
    EXPECT_EQ(query_params({.start = "yesterday"}, kNow).get_or("step", ""), "1");
}

TEST(QueryParams, AreKeptWhereGiven) {
    const net::HttpParams range =
        query_params({.expression = "up", .start = "0", .end = "9", .step = "3s"}, kNow);
    EXPECT_EQ(range.get_or("start", ""), "0");
    EXPECT_EQ(range.get_or("end", ""), "9");
    EXPECT_EQ(range.get_or("step", ""), "3s");
    const net::HttpParams instant = query_params({.expression = "up", .time = "5"}, kNow);
    EXPECT_EQ(instant.get_or("time", ""), "5");
    EXPECT_EQ(instant.get_or("end", "none"), "none");
    EXPECT_EQ(instant.get_or("known_at", "none"), "none");
    const net::HttpParams then = query_params({.expression = "up", .known_at = "7"}, kNow);
    EXPECT_EQ(then.get_or("known_at", ""), "7");
}

}  // namespace
}  // namespace kpid::ctl
