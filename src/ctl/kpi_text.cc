// Values and targets in their unit, as the page at `/` writes them.
#include "ctl/kpi_text.h"

#include "ctl/json_text.h"
#include "kpid/kpi/condition.h"

#include <algorithm>
#include <array>
#include <optional>

namespace kpid::ctl {
namespace {

using Kind = wire::JsonValue::Kind;

constexpr std::string_view kNone = "-";
constexpr std::string_view kPer = "per ";
constexpr std::size_t kCurrencyLength = 3;

// {"at_least": 0.2} or {"between": [1, 2]}.
std::optional<kpi::ResolvedCondition> condition_of(const wire::JsonValue& target) {
    std::optional<kpi::ResolvedCondition> condition;
    if (target.kind() != Kind::kObject) {
        return condition;
    }
    target.for_each([&](std::string_view name, const wire::JsonValue& bounds) {
        const std::optional<kpi::Operator> op = kpi::parse_operator(name);
        std::array<double, 2> numbers{};
        std::size_t count = 0;
        const auto take = [&](std::string_view, const wire::JsonValue& bound) {
            if (bound.kind() == Kind::kNumber && count < numbers.size()) {
                numbers.at(count) = bound.number();
                ++count;
            }
        };
        if (bounds.kind() == Kind::kArray) {
            bounds.for_each(take);
        } else {
            take({}, bounds);
        }
        if (op && count == (kpi::takes_two_bounds(*op) ? 2U : 1U)) {
            condition = kpi::ResolvedCondition{.op = *op, .a = numbers[0], .b = numbers[1]};
        }
    });
    return condition;
}

}  // namespace

model::Unit unit_named(std::string_view name) {
    using model::UnitKind;
    for (const UnitKind kind :
         {UnitKind::kRatio, UnitKind::kCount, UnitKind::kMoney, UnitKind::kDuration,
          UnitKind::kScore, UnitKind::kRate, UnitKind::kIndex, UnitKind::kBytes}) {
        const model::Unit unit{.kind = kind};
        if (unit.short_name() == name) {
            return unit;
        }
    }
    if (name.starts_with(kPer)) {
        return {.kind = UnitKind::kRate, .per = std::string(name.substr(kPer.size()))};
    }
    const bool is_currency =
        name.size() == kCurrencyLength &&
        std::all_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    return is_currency ? model::Unit{.kind = UnitKind::kMoney, .currency = std::string(name)}
                       : model::Unit{};
}

std::string value_text(const wire::JsonValue& holder, const model::Unit& unit) {
    const auto value = holder.member("value");
    return value && value->kind() == Kind::kNumber ? model::format_in_unit(value->number(), unit)
                                                   : std::string(kNone);
}

std::string target_text(const wire::JsonValue& holder, const model::Unit& unit) {
    const auto target = holder.member("target");
    if (!target) {
        return std::string(kNone);
    }
    const std::optional<kpi::ResolvedCondition> condition = condition_of(*target);
    return condition ? kpi::describe_text(*condition, unit) : member_text(holder, "target");
}

}  // namespace kpid::ctl
