#include "kpid/base/time.h"

#include <gtest/gtest.h>

namespace kpid {
namespace {

TEST(Time, Rfc3339RoundTrips) {
    EXPECT_EQ(format_rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(Timestamp(-1)), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(parse_rfc3339("2026-07-01T12:00:00.5+02:00").value(),
              parse_rfc3339("2026-07-01T10:00:00.500Z").value());
    EXPECT_EQ(parse_rfc3339("2015-07-01T20:10:51.781999999Z").value().ms(), 1435781451781);
    for (const char* bad : {"", "2026-07-01", "2026-02-30T00:00:00Z", "2026-07-01T24:00:00Z",
                            "2026-07-01T12:00:00", "2026-07-01T12:00:00.Z", "x"}) {
        EXPECT_FALSE(parse_rfc3339(bad).has_value()) << bad;
    }
}

TEST(Time, ReadsUnixSecondsOrRfc3339) {
    EXPECT_EQ(parse_time("1435781451.781").value().ms(), 1435781451781);
    EXPECT_EQ(parse_time("2015-07-01T20:10:51.781Z").value().ms(), 1435781451781);
    EXPECT_FALSE(parse_time("NaN").has_value());
    EXPECT_FALSE(parse_time("1e300").has_value());
}

TEST(Duration, ParsesAndPrintsAsPrometheus) {
    struct Case {
        std::string text;
        std::int64_t ms;
        std::string printed;
    };
    const std::vector<Case> cases{
        {"0", 0, "0s"},
        {"324ms", 324, "324ms"},
        {"3s", 3000, "3s"},
        {"5m", 300000, "5m"},
        {"1h", 3600000, "1h"},
        {"4d", 345600000, "4d"},
        {"4d1h", 349200000, "4d1h"},
        {"14d", 1209600000, "2w"},
        {"3w2d1h", 2 * 86400000 + 3 * 604800000LL + 3600000, "23d1h"},
        {"10y", 315360000000, "10y"},
        {"1h30m", 5400000, "1h30m"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        ASSERT_TRUE(parse_duration(c.text).has_value());
        EXPECT_EQ(parse_duration(c.text)->count(), c.ms);
        EXPECT_EQ(format_duration(Duration(c.ms)), c.printed);
    }
    for (const char* bad : {"", "1", "-1w", "1.5d", "d", "5m1h", "1h1h", "294y", "300y", "1 h",
                            "99999999999999999999s"}) {
        EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
    }
}

TEST(Time, WritesTheEndsOfTimeAsTheNearestYear) {
    EXPECT_EQ(format_rfc3339(Timestamp::min()), "0000-01-01T00:00:00.000Z");
    EXPECT_EQ(format_rfc3339(Timestamp::max()), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace kpid
