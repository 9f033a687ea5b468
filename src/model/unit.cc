#include "kpid/model/unit.h"

#include "kpid/base/number.h"
#include "kpid/base/time.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace kpid::model {
namespace {

// Fixed decimals without trailing zeros unless the unit asks for them.
std::string format_decimals(double value, std::optional<int> decimals, int default_decimals) {
    std::string text = fmt::format("{:.{}f}", value, decimals.value_or(default_decimals));
    if (!decimals && text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') {
            text.pop_back();
        }
    }
    if (text == "-0") {
        text = "0";
    }
    return text;
}

std::string format_thousands(std::string text) {
    const std::size_t start = text.front() == '-' ? 1 : 0;
    std::size_t end = text.find('.');
    end = end == std::string::npos ? text.size() : end;
    for (std::size_t i = end; i > start + 3; i -= 3) {
        text.insert(i - 3, ",");
    }
    return text;
}

std::string format_seconds(double value, std::optional<int> decimals) {
    if (std::abs(value) < 1 && value != 0) {
        return format_decimals(value * 1000, decimals, 3) + "ms";
    }
    if (std::abs(value) < 60) {
        return format_decimals(value, decimals, 3) + "s";
    }
    if (std::abs(value) > 9e12) {
        return format_float_general(value) + "s";
    }
    return format_duration(Duration(static_cast<std::int64_t>(std::round(value)) * 1000));
}

std::string format_bytes(double value, std::optional<int> decimals) {
    constexpr std::array<std::string_view, 7> kPrefixes{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    std::size_t prefix = 0;
    while (std::abs(value) >= 1024 && prefix + 1 < kPrefixes.size()) {
        value /= 1024;
        ++prefix;
    }
    return fmt::format("{} {}B", format_decimals(value, decimals, 1), kPrefixes.at(prefix));
}

}  // namespace

std::string Unit::short_name() const {
    switch (kind) {
        case UnitKind::kRatio:
            return "percent";
        case UnitKind::kCount:
            return "count";
        case UnitKind::kMoney:
            return currency.empty() ? "money" : currency;
        case UnitKind::kDuration:
            return "seconds";
        case UnitKind::kScore:
            return "score";
        case UnitKind::kRate:
            return per.empty() ? "rate" : "per " + per;
        case UnitKind::kIndex:
            return "index";
        case UnitKind::kBytes:
            return "bytes";
    }
    return "count";
}

std::string format_in_unit(double value, const Unit& unit) {
    if (!std::isfinite(value)) {
        return format_float_general(value);
    }
    switch (unit.kind) {
        case UnitKind::kRatio:
            return format_decimals(value * 100, unit.decimals, 2) + " %";
        case UnitKind::kMoney:
            return format_thousands(format_decimals(value, unit.decimals, 2)) + " " + unit.currency;
        case UnitKind::kDuration:
            return format_seconds(value, unit.decimals);
        case UnitKind::kBytes:
            return format_bytes(value, unit.decimals);
        case UnitKind::kRate:
            return format_thousands(format_decimals(value, unit.decimals, 3)) + "/" + unit.per;
        case UnitKind::kCount:
            return format_thousands(format_decimals(value, unit.decimals, 3));
        case UnitKind::kScore:
        case UnitKind::kIndex:
            break;
    }
    return format_decimals(value, unit.decimals, 3);
}

}  // namespace kpid::model
