// Go's layouts of instants and texts of spans.

#include "alerting/go_time.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace kpid::alerting {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

struct Fields {
    int year = 0;
    unsigned month = 1;
    unsigned day = 1;
    unsigned weekday = 0;
    unsigned day_of_year = 1;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    unsigned nanosecond = 0;
};

Fields fields_of(std::int64_t nanoseconds) {
    using namespace std::chrono;
    const sys_time<std::chrono::nanoseconds> instant{std::chrono::nanoseconds(nanoseconds)};
    const sys_days midnight = floor<days>(instant);
    const year_month_day date(midnight);
    const hh_mm_ss time(instant - midnight);
    Fields f;
    f.year = static_cast<int>(date.year());
    f.month = static_cast<unsigned>(date.month());
    f.day = static_cast<unsigned>(date.day());
    f.weekday = weekday(midnight).c_encoding();
    f.day_of_year = static_cast<unsigned>((midnight - sys_days(date.year() / 1 / 1)).count() + 1);
    f.hour = static_cast<unsigned>(time.hours().count());
    f.minute = static_cast<unsigned>(time.minutes().count());
    f.second = static_cast<unsigned>(time.seconds().count());
    f.nanosecond = static_cast<unsigned>(time.subseconds().count());
    return f;
}

using Writer = std::string (*)(const Fields&);

unsigned hour12(const Fields& f) {
    return f.hour % 12 == 0 ? 12 : f.hour % 12;
}

// Longer words stand before their beginnings.
constexpr std::pair<std::string_view, Writer> kWords[] = {
    {"January", [](const Fields& f) { return std::string(kMonths[f.month - 1]); }},
    {"Jan", [](const Fields& f) { return std::string(kMonths[f.month - 1].substr(0, 3)); }},
    {"Monday", [](const Fields& f) { return std::string(kDays[f.weekday]); }},
    {"Mon", [](const Fields& f) { return std::string(kDays[f.weekday].substr(0, 3)); }},
    {"MST", [](const Fields&) { return std::string("UTC"); }},
    {"2006", [](const Fields& f) { return fmt::format("{:04}", f.year); }},
    {"-07:00", [](const Fields&) { return std::string("+00:00"); }},
    {"-0700", [](const Fields&) { return std::string("+0000"); }},
    {"-07", [](const Fields&) { return std::string("+00"); }},
    {"Z07:00", [](const Fields&) { return std::string("Z"); }},
    {"Z0700", [](const Fields&) { return std::string("Z"); }},
    {"002", [](const Fields& f) { return fmt::format("{:03}", f.day_of_year); }},
    {"01", [](const Fields& f) { return fmt::format("{:02}", f.month); }},
    {"02", [](const Fields& f) { return fmt::format("{:02}", f.day); }},
    {"03", [](const Fields& f) { return fmt::format("{:02}", hour12(f)); }},
    {"04", [](const Fields& f) { return fmt::format("{:02}", f.minute); }},
    {"05", [](const Fields& f) { return fmt::format("{:02}", f.second); }},
    {"06", [](const Fields& f) { return fmt::format("{:02}", f.year % 100); }},
    {"15", [](const Fields& f) { return fmt::format("{:02}", f.hour); }},
    {"_2", [](const Fields& f) { return fmt::format("{:2}", f.day); }},
    {"PM", [](const Fields& f) { return std::string(f.hour >= 12 ? "PM" : "AM"); }},
    {"pm", [](const Fields& f) { return std::string(f.hour >= 12 ? "pm" : "am"); }},
    {"1", [](const Fields& f) { return fmt::format("{}", f.month); }},
    {"2", [](const Fields& f) { return fmt::format("{}", f.day); }},
    {"3", [](const Fields& f) { return fmt::format("{}", hour12(f)); }},
    {"4", [](const Fields& f) { return fmt::format("{}", f.minute); }},
    {"5", [](const Fields& f) { return fmt::format("{}", f.second); }},
};

// The length of `.000` or `.999` at the start: zeros keep their digits, nines drop trailing zeros.
std::size_t fraction_length(std::string_view layout) {
    if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',') ||
        (layout[1] != '0' && layout[1] != '9')) {
        return 0;
    }
    std::size_t length = 1;
    while (length < layout.size() && layout[length] == layout[1]) {
        ++length;
    }
    const bool digit_follows =
        length < layout.size() && layout[length] >= '0' && layout[length] <= '9';
    return digit_follows ? 0 : length;
}

std::string write_fraction(const Fields& f, std::string_view layout) {
    std::string digits = fmt::format("{:09}", f.nanosecond).substr(0, layout.size() - 1);
    if (layout[1] == '9') {
        digits.erase(digits.find_last_not_of('0') + 1);
    }
    return digits.empty() ? "" : layout[0] + digits;
}

}  // namespace

std::string format_instant(std::int64_t nanoseconds) {
    return format_instant(nanoseconds, "2006-01-02 15:04:05.999999999 -0700 MST");
}

std::string format_instant(std::int64_t nanoseconds, std::string_view layout) {
    const Fields fields = fields_of(nanoseconds);
    std::string out;
    while (!layout.empty()) {
        if (const std::size_t length = fraction_length(layout); length > 0) {
            out += write_fraction(fields, layout.substr(0, length));
            layout.remove_prefix(length);
            continue;
        }
        bool found = false;
        for (const auto& [word, write] : kWords) {
            if (layout.starts_with(word)) {
                out += write(fields);
                layout.remove_prefix(word.size());
                found = true;
                break;
            }
        }
        if (!found) {
            out += layout.front();
            layout.remove_prefix(1);
        }
    }
    return out;
}

std::string format_span(std::int64_t nanoseconds) {
    const bool negative = nanoseconds < 0;
    const auto bits = static_cast<std::uint64_t>(nanoseconds);
    const std::uint64_t total = negative ? ~bits + 1 : bits;
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const auto decimal = [](std::uint64_t value, std::uint64_t unit, int digits) {
        std::string text = fmt::format("{}.{:0{}}", value / unit, value % unit, digits);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) {
            text.pop_back();
        }
        return text;
    };
    std::string text = negative ? "-" : "";
    if (total == 0) {
        return "0s";
    }
    if (total < kSecond) {
        return text + (total < 1'000       ? fmt::format("{}ns", total)
                       : total < 1'000'000 ? decimal(total, 1'000, 3) + "µs"
                                           : decimal(total, 1'000'000, 6) + "ms");
    }
    const std::uint64_t minutes = total / kSecond / 60;
    if (minutes >= 60) {
        text += fmt::format("{}h", minutes / 60);
    }
    if (minutes > 0) {
        text += fmt::format("{}m", minutes % 60);
    }
    return text + decimal(total % (60 * kSecond), kSecond, 9) + "s";
}

}  // namespace kpid::alerting
