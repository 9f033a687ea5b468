// Prometheus' functions about numbers and times, and kpid's inUnit.
#include "alerting/go_format.h"
#include "alerting/go_time.h"
#include "alerting/template_functions.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <cmath>

namespace kpid::alerting {
namespace {

using Arguments = FunctionArguments;
using Answer = Result<TemplateValue>;

constexpr double kNanosecondsPerSecond = 1e9;

// Scales a number below 1 up by thousands: {12.5, "m"}.
std::pair<double, std::string_view> scale_up(double value) {
    std::string_view prefix;
    for (const std::string_view next : {"m", "u", "n", "p", "f", "a", "z", "y"}) {
        if (std::fabs(value) >= 1) {
            break;
        }
        prefix = next;
        value *= 1000;
    }
    return {value, prefix};
}

Answer call_humanize(const FunctionContext&, Arguments arguments) {
    KPID_TRY(double value, to_number(arguments[0]));
    if (value == 0 || !std::isfinite(value)) {
        return TemplateValue(format_four_digits(value));
    }
    std::string_view prefix;
    if (std::fabs(value) < 1) {
        std::tie(value, prefix) = scale_up(value);
    } else {
        for (const std::string_view next : {"k", "M", "G", "T", "P", "E", "Z", "Y"}) {
            if (std::fabs(value) < 1000) {
                break;
            }
            prefix = next;
            value /= 1000;
        }
    }
    return TemplateValue(format_four_digits(value).append(prefix));
}

Answer call_humanize1024(const FunctionContext&, Arguments arguments) {
    KPID_TRY(double value, to_number(arguments[0]));
    if (std::fabs(value) <= 1 || !std::isfinite(value)) {
        return TemplateValue(format_four_digits(value));
    }
    std::string_view prefix;
    for (const std::string_view next : {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"}) {
        if (std::fabs(value) < 1024) {
            break;
        }
        prefix = next;
        value /= 1024;
    }
    return TemplateValue(format_four_digits(value).append(prefix));
}

Answer call_humanize_duration(const FunctionContext&, Arguments arguments) {
    KPID_TRY(double value, to_number(arguments[0]));
    if (!std::isfinite(value)) {
        return TemplateValue(format_four_digits(value));
    }
    if (value == 0) {
        return TemplateValue("0s");
    }
    if (std::fabs(value) < 1) {
        const auto [scaled, prefix] = scale_up(value);
        return TemplateValue(fmt::format("{}{}s", format_four_digits(scaled), prefix));
    }
    const std::string_view sign = value < 0 ? "-" : "";
    value = std::fabs(value);
    // Beyond that many seconds a count of days says nothing, and the conversion would overflow.
    constexpr double kSecondsMax = 9e18;
    const auto total = static_cast<std::int64_t>(std::min(value, kSecondsMax));
    const std::int64_t seconds = total % 60;
    const std::int64_t minutes = total / 60 % 60;
    const std::int64_t hours = total / 3600 % 24;
    const std::int64_t days = total / 86400;
    if (days > 0) {
        return TemplateValue(fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds));
    }
    if (hours > 0) {
        return TemplateValue(fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds));
    }
    if (minutes > 0) {
        return TemplateValue(fmt::format("{}{}m {}s", sign, minutes, seconds));
    }
    return TemplateValue(fmt::format("{}{}s", sign, format_four_digits(value)));
}

Answer call_humanize_percentage(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const double value, to_number(arguments[0]));
    return TemplateValue(format_four_digits(value * 100) + "%");
}

Result<TemplateValue::Instant> to_instant(double seconds) {
    const double nanoseconds = seconds * kNanosecondsPerSecond;
    constexpr double kLimit = 9223372036854775808.0;
    if (!(nanoseconds < kLimit && nanoseconds >= -kLimit)) {
        return invalid_argument(fmt::format(
            "{} cannot be represented as a nanoseconds timestamp since it overflows int64",
            format_float_text(seconds)));
    }
    // Milliseconds are what a sample's time can say.
    constexpr std::int64_t kMillisecond = 1'000'000;
    const auto whole = static_cast<std::int64_t>(nanoseconds);
    return TemplateValue::Instant{whole / kMillisecond * kMillisecond};
}

Answer call_humanize_timestamp(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const double value, to_number(arguments[0]));
    if (!std::isfinite(value)) {
        return TemplateValue(format_four_digits(value));
    }
    KPID_TRY(const TemplateValue::Instant instant, to_instant(value));
    return TemplateValue(format_instant(instant.nanoseconds));
}

Answer call_to_time(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const double value, to_number(arguments[0]));
    KPID_TRY(const TemplateValue::Instant instant, to_instant(value));
    return TemplateValue(instant);
}

Answer call_to_duration(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const double value, to_number(arguments[0]));
    const double nanoseconds = value * kNanosecondsPerSecond;
    constexpr double kLimit = 9.2e18;
    if (!(std::fabs(nanoseconds) < kLimit)) {
        return invalid_argument(
            fmt::format("{} cannot be represented as a duration", format_float_text(value)));
    }
    return TemplateValue(TemplateValue::Span{static_cast<std::int64_t>(nanoseconds)});
}

Answer call_parse_duration(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const std::string text, expect_text(arguments[0]));
    const bool negative = text.starts_with('-');
    KPID_TRY(const Duration duration,
             parse_duration(std::string_view(text).substr(negative ? 1 : 0)));
    const double seconds = static_cast<double>(duration.count()) / 1000;
    return TemplateValue(negative ? -seconds : seconds);
}

Answer call_now(const FunctionContext& context, Arguments) {
    return TemplateValue(context.environment.now.seconds());
}

Answer call_in_unit(const FunctionContext& context, Arguments arguments) {
    if (arguments[0].is_nothing()) {
        return TemplateValue("no value");
    }
    KPID_TRY(const double value, to_number(arguments[0]));
    return TemplateValue(context.environment.unit
                             ? model::format_in_unit(value, *context.environment.unit)
                             : format_float(value));
}

constexpr TemplateFunction kFunctions[] = {
    {"humanize", 1, 1, call_humanize},
    {"humanize1024", 1, 1, call_humanize1024},
    {"humanizeDuration", 1, 1, call_humanize_duration},
    {"humanizePercentage", 1, 1, call_humanize_percentage},
    {"humanizeTimestamp", 1, 1, call_humanize_timestamp},
    {"toTime", 1, 1, call_to_time},
    {"toDuration", 1, 1, call_to_duration},
    {"parseDuration", 1, 1, call_parse_duration},
    {"now", 0, 0, call_now},
    {"inUnit", 1, 1, call_in_unit},
};

Error no_method(const TemplateValue& receiver, std::string_view name) {
    return invalid_argument(
        fmt::format("can't evaluate field {} in type {}", name, receiver.type_name()));
}

Answer instant_method(TemplateValue::Instant instant, std::string_view name, Arguments arguments) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    // Rounds down, also before the epoch.
    const auto count = [&](std::int64_t unit) {
        const std::int64_t quotient = instant.nanoseconds / unit;
        return TemplateValue(instant.nanoseconds % unit < 0 ? quotient - 1 : quotient);
    };
    if (name == "Format" && arguments.size() == 1) {
        KPID_TRY(const std::string layout, expect_text(arguments[0]));
        return TemplateValue(format_instant(instant.nanoseconds, layout));
    }
    if (name == "Add" && arguments.size() == 1) {
        const auto* span = arguments[0].get_if<TemplateValue::Span>();
        if (span == nullptr) {
            return invalid_argument(fmt::format(
                "wrong type for value; expected time.Duration; got {}", arguments[0].type_name()));
        }
        std::int64_t sum = 0;
        if (__builtin_add_overflow(instant.nanoseconds, span->nanoseconds, &sum)) {
            return invalid_argument("time out of range");
        }
        return TemplateValue(TemplateValue::Instant{sum});
    }
    if (arguments.empty()) {
        if (name == "Unix") {
            return count(kSecond);
        }
        if (name == "UnixMilli") {
            return count(kSecond / 1000);
        }
        if (name == "UnixNano") {
            return TemplateValue(instant.nanoseconds);
        }
        if (name == "UTC") {
            return TemplateValue(instant);
        }
        if (name == "String") {
            return TemplateValue(format_instant(instant.nanoseconds));
        }
        for (const auto& [method, layout] :
             {std::pair("Year", "2006"), std::pair("Day", "2"), std::pair("Hour", "15"),
              std::pair("Minute", "4"), std::pair("Second", "5")}) {
            if (name == method) {
                KPID_TRY(const double value,
                         parse_float(format_instant(instant.nanoseconds, layout)));
                return TemplateValue(static_cast<std::int64_t>(value));
            }
        }
        if (name == "Month" || name == "Weekday") {
            return TemplateValue(
                format_instant(instant.nanoseconds, name == "Month" ? "January" : "Monday"));
        }
    }
    return no_method(TemplateValue(instant), name);
}

Answer span_method(TemplateValue::Span span, std::string_view name, Arguments arguments) {
    if (arguments.empty()) {
        const double seconds = static_cast<double>(span.nanoseconds) / kNanosecondsPerSecond;
        if (name == "String") {
            return TemplateValue(format_span(span.nanoseconds));
        }
        if (name == "Seconds") {
            return TemplateValue(seconds);
        }
        if (name == "Minutes") {
            return TemplateValue(seconds / 60);
        }
        if (name == "Hours") {
            return TemplateValue(seconds / 3600);
        }
        if (name == "Milliseconds") {
            return TemplateValue(span.nanoseconds / 1'000'000);
        }
        if (name == "Nanoseconds") {
            return TemplateValue(span.nanoseconds);
        }
    }
    return no_method(TemplateValue(span), name);
}

}  // namespace

std::span<const TemplateFunction> number_functions() {
    return kFunctions;
}

Result<TemplateValue> call_method(const TemplateValue& receiver, std::string_view name,
                                  FunctionArguments arguments) {
    if (const auto* instant = receiver.get_if<TemplateValue::Instant>()) {
        return instant_method(*instant, name, arguments);
    }
    if (const auto* span = receiver.get_if<TemplateValue::Span>()) {
        return span_method(*span, name, arguments);
    }
    return no_method(receiver, name);
}

Result<double> to_number(const TemplateValue& value) {
    if (const auto* number = value.get_if<double>()) {
        return *number;
    }
    if (const auto* integer = value.get_if<std::int64_t>()) {
        return static_cast<double>(*integer);
    }
    if (const auto* natural = value.get_if<std::uint64_t>()) {
        return static_cast<double>(*natural);
    }
    if (const auto* span = value.get_if<TemplateValue::Span>()) {
        return static_cast<double>(span->nanoseconds) / kNanosecondsPerSecond;
    }
    if (const auto* text = value.get_if<std::string>()) {
        const auto number = parse_float(*text);
        if (!number) {
            return invalid_argument(
                fmt::format("strconv.ParseFloat: parsing \"{}\": invalid syntax", *text));
        }
        return *number;
    }
    return invalid_argument(fmt::format("can't convert {} to float", value.type_name()));
}

}  // namespace kpid::alerting
