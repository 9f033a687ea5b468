#include "kpid/base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace kpid {
namespace {

using std::chrono::days;

bool read_digits(std::string_view& text, std::size_t count, int& out) {
    if (text.size() < count) {
        return false;
    }
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    out = value;
    return true;
}

bool read_char(std::string_view& text, char want) {
    if (text.empty() || text.front() != want) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool read_fraction(std::string_view& text, std::int64_t& milliseconds) {
    if (text.empty() || text.front() != '.') {
        return true;
    }
    text.remove_prefix(1);
    int digits = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (digits < 3) {
            milliseconds = milliseconds * 10 + (text.front() - '0');
        }
        ++digits;
        text.remove_prefix(1);
    }
    for (int i = digits; i < 3; ++i) {
        milliseconds *= 10;
    }
    return digits > 0;
}

bool read_zone(std::string_view& text, std::int64_t& offset_minutes) {
    if (text == "Z" || text == "z") {
        text = {};
        return true;
    }
    if (text.empty() || (text.front() != '+' && text.front() != '-')) {
        return false;
    }
    const bool negative = text.front() == '-';
    text.remove_prefix(1);
    int hours = 0;
    int minutes = 0;
    if (!read_digits(text, 2, hours) || !read_char(text, ':') || !read_digits(text, 2, minutes) ||
        hours > 23 || minutes > 59) {
        return false;
    }
    offset_minutes = (negative ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

struct DurationUnit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::array<DurationUnit, 7> kUnits{{
    {"y", std::int64_t{365} * 24 * 3600 * 1000},
    {"w", std::int64_t{7} * 24 * 3600 * 1000},
    {"d", std::int64_t{24} * 3600 * 1000},
    {"h", 3600 * 1000},
    {"m", 60 * 1000},
    {"s", 1000},
    {"ms", 1},
}};

}  // namespace

std::string format_rfc3339(Timestamp t) {
    // 0000-01-01 and the last millisecond of 9999: RFC 3339 has no words beyond.
    constexpr std::int64_t kFirst = -62'167'219'200'000;
    constexpr std::int64_t kLast = 253'402'300'799'999;
    const std::chrono::sys_time<Duration> point{Duration(std::clamp(t.ms(), kFirst, kLast))};
    const auto day = std::chrono::floor<days>(point);
    const std::chrono::year_month_day date{day};
    const std::int64_t in_day = (point - day).count();
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       in_day / 3600000, in_day / 60000 % 60, in_day / 1000 % 60, in_day % 1000);
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
    const std::string_view whole = text;
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    std::int64_t fraction = 0;
    std::int64_t offset = 0;
    const bool date_ok = read_digits(text, 4, year) && read_char(text, '-') &&
                         read_digits(text, 2, month) && read_char(text, '-') &&
                         read_digits(text, 2, day);
    const bool ok =
        date_ok && (read_char(text, 'T') || read_char(text, 't') || read_char(text, ' ')) &&
        read_digits(text, 2, hour) && read_char(text, ':') && read_digits(text, 2, minute) &&
        read_char(text, ':') && read_digits(text, 2, second) && read_fraction(text, fraction) &&
        read_zone(text, offset) && text.empty();
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!ok || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return invalid_argument(fmt::format("not an RFC 3339 time: \"{}\"", whole));
    }
    const std::int64_t day_count = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t seconds =
        day_count * 86400 + hour * 3600 + minute * 60 + second - offset * 60;
    return Timestamp(seconds * 1000 + fraction);
}

Result<Timestamp> timestamp_from_seconds(double seconds) {
    const double ms = std::round(seconds * 1000.0);
    if (!std::isfinite(seconds) || std::abs(ms) > 9.2e18) {
        return invalid_argument("time is not finite or out of range");
    }
    return Timestamp(static_cast<std::int64_t>(ms));
}

Result<Timestamp> parse_time(std::string_view text) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc{} && end == text.data() + text.size() && !text.empty() &&
        std::isfinite(seconds)) {
        return timestamp_from_seconds(seconds);
    }
    auto parsed = parse_rfc3339(text);
    if (!parsed) {
        return invalid_argument(fmt::format("cannot parse \"{}\" to a valid timestamp", text));
    }
    return parsed;
}

Result<Duration> parse_duration(std::string_view text) {
    if (text.empty()) {
        return invalid_argument("empty duration string");
    }
    if (text == "0") {
        return Duration(0);
    }
    const auto bad = [&] {
        return invalid_argument(fmt::format("not a valid duration string: \"{}\"", text));
    };
    std::string_view rest = text;
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    while (!rest.empty()) {
        std::int64_t count = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
        if (rest.front() < '0' || rest.front() > '9') {
            return bad();
        }
        if (error == std::errc::result_out_of_range) {
            return invalid_argument("duration out of range");
        }
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        std::size_t length = 0;
        while (length < rest.size() && rest[length] >= 'a' && rest[length] <= 'z') {
            ++length;
        }
        std::size_t unit = next_unit;
        while (unit < kUnits.size() && kUnits[unit].name != rest.substr(0, length)) {
            ++unit;
        }
        if (unit == kUnits.size()) {
            return bad();
        }
        std::int64_t part = 0;
        // Prometheus keeps durations in int64 nanoseconds: what does not fit there is out of range.
        if (__builtin_mul_overflow(count, kUnits[unit].milliseconds, &part) ||
            __builtin_add_overflow(total, part, &total) || total > 9223372036854) {
            return invalid_argument("duration out of range");
        }
        next_unit = unit + 1;
        rest.remove_prefix(length);
    }
    return Duration(total);
}

std::string format_duration(Duration d) {
    std::int64_t left = d.count();
    if (left == 0) {
        return "0s";
    }
    std::string text = left < 0 ? "-" : "";
    left = left < 0 ? -left : left;
    for (const DurationUnit& unit : kUnits) {
        // As Prometheus: years and weeks only where they divide the rest without remainder.
        const bool exact_only = unit.name == "y" || unit.name == "w";
        if (left < unit.milliseconds || (exact_only && left % unit.milliseconds != 0)) {
            continue;
        }
        text += fmt::format("{}{}", left / unit.milliseconds, unit.name);
        left %= unit.milliseconds;
    }
    return text;
}

}  // namespace kpid
