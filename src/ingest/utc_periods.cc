// Periods of the proleptic Gregorian calendar.
#include "ingest/utc_periods.h"

#include <chrono>

namespace kpid::ingest {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr Duration kHour = std::chrono::hours(1);

sys_days day_of(Timestamp at) {
    const std::chrono::sys_time<Duration> time{Duration(at.ms())};
    return std::chrono::floor<days>(time);
}

Timestamp start_of(sys_days day) {
    return Timestamp(Duration(day.time_since_epoch()).count());
}

// 0 for what is not a number of months.
unsigned months_of(config::Period period) {
    switch (period) {
        case config::Period::kMonth:
            return 1;
        case config::Period::kQuarter:
            return 3;
        case config::Period::kHalf:
            return 6;
        case config::Period::kYear:
            return 12;
        case config::Period::kHour:
        case config::Period::kDay:
        case config::Period::kWeek:
            break;
    }
    return 0;
}

Timestamp start_of(year_month month) {
    return start_of(sys_days(month / std::chrono::day(1)));
}

}  // namespace

Timestamp period_start(config::Period period, Timestamp at) {
    if (period == config::Period::kHour) {
        const Duration since_epoch(at.ms());
        return Timestamp(Duration(std::chrono::floor<std::chrono::hours>(since_epoch)).count());
    }
    const sys_days day = day_of(at);
    if (period == config::Period::kDay) {
        return start_of(day);
    }
    if (period == config::Period::kWeek) {
        return start_of(day - (std::chrono::weekday(day) - std::chrono::Monday));
    }
    const year_month_day date(day);
    const unsigned length = months_of(period);
    const unsigned month = (static_cast<unsigned>(date.month()) - 1) / length * length + 1;
    return start_of(date.year() / std::chrono::month(month));
}

Timestamp period_end(config::Period period, Timestamp start) {
    switch (period) {
        case config::Period::kHour:
            return start + kHour;
        case config::Period::kDay:
            return start + days(1);
        case config::Period::kWeek:
            return start + days(7);
        case config::Period::kMonth:
        case config::Period::kQuarter:
        case config::Period::kHalf:
        case config::Period::kYear:
            break;
    }
    const year_month_day date(day_of(start));
    return start_of(date.year() / date.month() + months(months_of(period)));
}

}  // namespace kpid::ingest
