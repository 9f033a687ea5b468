// Round numbers and times.
#include "ctl/plot_scale.h"

#include "kpid/base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace kpid::ctl {
namespace {

constexpr double kMinute = 60;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;

struct Prefix {
    double scale;
    std::string_view text;
};
constexpr std::array<Prefix, 4> kPrefixes{{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
// Below it numbers are written out.
constexpr double kPrefixFrom = 1e4;
constexpr double kPrefixUntil = 1e15;
constexpr double kSmallest = 1e-4;
constexpr double kMarksMax = 1000;

Prefix prefix_of(double magnitude) {
    if (magnitude >= kPrefixFrom && magnitude < kPrefixUntil) {
        for (const Prefix& prefix : kPrefixes) {
            if (magnitude >= prefix.scale) {
                return prefix;
            }
        }
    }
    return {1, ""};
}

double round_step(double least) {
    const double power = std::pow(10, std::floor(std::log10(least)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= least * (1 - 1e-9)) {
            return factor * power;
        }
    }
    return 10 * power;
}

constexpr std::array<double, 26> kTimeSteps{
    1,          2,           5,           10,           15,           30,
    kMinute,    2 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute, 30 * kMinute,
    kHour,      2 * kHour,   3 * kHour,   6 * kHour,    12 * kHour,   kDay,
    2 * kDay,   7 * kDay,    14 * kDay,   30 * kDay,    60 * kDay,    90 * kDay,
    180 * kDay, 365 * kDay};

std::string mark_text(double value, double step, double magnitude) {
    if (magnitude >= kPrefixUntil || step < kSmallest) {
        return fmt::format("{:.6g}", value);
    }
    const Prefix prefix = prefix_of(magnitude);
    const double exponent = -std::floor(std::log10(step / prefix.scale) + 1e-9);
    const int decimals = static_cast<int>(std::clamp(exponent, 0.0, 9.0));
    // Not "-0".
    const double shown = std::abs(value) < step / 2 ? 0 : value;
    return fmt::format("{:.{}f}{}", shown / prefix.scale, decimals, prefix.text);
}

std::string time_text(double seconds, double step, double span) {
    const std::string text =
        format_rfc3339(Timestamp(static_cast<std::int64_t>(std::llround(seconds * 1000))));
    if (step >= kDay) {
        return span > 300 * kDay ? text.substr(0, 10) : text.substr(5, 5);
    }
    const std::string clock = text.substr(11, step < kMinute ? 8 : 5);
    return span > kDay ? text.substr(5, 5) + " " + clock : clock;
}

}  // namespace

PlotScale number_scale(double low, double high, std::size_t marks_max) {
    if (!(high > low)) {
        const double room = low == 0 ? 1 : std::abs(low) * 0.1;
        low -= room;
        high += room;
    }
    const double span = high - low;
    const double step = round_step(
        std::isfinite(span) ? span / static_cast<double>(std::max<std::size_t>(marks_max, 2))
                            : high / 2 - low / 2);
    PlotScale scale;
    const double first = std::floor(low / step + 1e-9);
    const double last = std::ceil(high / step - 1e-9);
    scale.low = std::min(first * step, low);
    scale.high = std::max(last * step, high);
    const double magnitude = std::max(std::abs(scale.low), std::abs(scale.high));
    // What a double does not tell apart has no marks between its ends.
    if (!std::isnormal(step) || !(last - first <= kMarksMax) ||
        !std::isfinite(scale.high - scale.low)) {
        scale.low = low;
        scale.high = high;
        scale.marks = {low, high};
        scale.texts = {fmt::format("{:.6g}", low), fmt::format("{:.6g}", high)};
        return scale;
    }
    const auto count = static_cast<std::size_t>(std::llround(last - first)) + 1;
    for (std::size_t i = 0; i < count; ++i) {
        const double mark = (first + static_cast<double>(i)) * step;
        scale.marks.push_back(mark);
        scale.texts.push_back(mark_text(mark, step, magnitude));
    }
    return scale;
}

PlotScale time_scale(double low, double high, std::size_t marks_max) {
    PlotScale scale{.low = low, .high = high, .marks = {}, .texts = {}};
    const double span = high - low;
    const double least = span / static_cast<double>(std::max<std::size_t>(marks_max, 1));
    const auto found = std::lower_bound(kTimeSteps.begin(), kTimeSteps.end(), least);
    const double step = found != kTimeSteps.end()
                            ? *found
                            : std::ceil(least / kTimeSteps.back()) * kTimeSteps.back();
    const double first = std::ceil(low / step) * step;
    const double fit = span > 0 ? std::floor((high - first) / step) + 1 : 0;
    const auto count = static_cast<std::size_t>(std::clamp(fit, 0.0, kMarksMax));
    for (std::size_t i = 0; i < count; ++i) {
        const double mark = first + static_cast<double>(i) * step;
        scale.marks.push_back(mark);
        scale.texts.push_back(time_text(mark, step, span));
    }
    return scale;
}

std::string short_number(double value) {
    const double magnitude = std::abs(value);
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    const Prefix prefix = prefix_of(magnitude);
    return fmt::format("{:.4g}{}", value / prefix.scale, prefix.text);
}

}  // namespace kpid::ctl
