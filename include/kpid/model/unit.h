#pragma once
// Units of KPI values. Numbers are always in base units: ratio 0 to 1, seconds, bytes.

#include <optional>
#include <string>
#include <string_view>

namespace kpid::model {

enum class UnitKind { kRatio, kCount, kMoney, kDuration, kScore, kRate, kIndex, kBytes };

struct Unit {
    UnitKind kind = UnitKind::kCount;
    std::string currency;       ///< money: ISO 4217, "EUR".
    std::string per;            ///< rate: the period's name, "month".
    std::optional<double> min;  ///< score, index: the scale.
    std::optional<double> max;
    std::optional<int> decimals;  ///< digits shown; by kind when absent.

    bool operator==(const Unit&) const = default;
    /// "percent", "count", "EUR", "seconds", "score", "per month", "index", "bytes".
    [[nodiscard]] std::string short_name() const;
};

/// The value as people read it: "12.5 %", "4.65", "1h30m", "12,300 EUR", "1.2 GiB", "NaN".
[[nodiscard]] std::string format_in_unit(double value, const Unit& unit);

}  // namespace kpid::model
