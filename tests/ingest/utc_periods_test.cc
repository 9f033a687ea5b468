// Where periods begin and end.
#include "ingest/utc_periods.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::ingest {
namespace {

using config::Period;

TEST(UtcPeriods, BeginAndEndWhereTheCalendarSays) {
    struct Case {
        Period period;
        std::string at;
        std::string start;
        std::string end;
    };
    const std::vector<Case> cases{
        {Period::kHour, "2026-05-13T10:59:59.999Z", "2026-05-13T10:00:00Z", "2026-05-13T11:00:00Z"},
        {Period::kHour, "1969-12-31T23:30:00Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"},
        {Period::kDay, "2026-05-13T00:00:00Z", "2026-05-13T00:00:00Z", "2026-05-14T00:00:00Z"},
        {Period::kDay, "1969-12-31T23:30:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
        {Period::kWeek, "2026-11-22T16:00:00Z", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"},
        {Period::kWeek, "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
        {Period::kMonth, "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
        {Period::kMonth, "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        {Period::kQuarter, "2026-06-30T12:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"},
        {Period::kQuarter, "2026-12-01T00:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        {Period::kHalf, "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        {Period::kYear, "2028-07-01T00:00:00Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.at + " in " + c.start);
        const Timestamp start = period_start(c.period, *parse_rfc3339(c.at));
        EXPECT_EQ(format_rfc3339(start), format_rfc3339(*parse_rfc3339(c.start)));
        EXPECT_EQ(format_rfc3339(period_end(c.period, start)),
                  format_rfc3339(*parse_rfc3339(c.end)));
        EXPECT_EQ(period_start(c.period, start), start);
    }
}

}  // namespace
}  // namespace kpid::ingest
