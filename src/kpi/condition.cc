// Operators and conditions: parsing, judging, describing.
#include "kpid/kpi/condition.h"

#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <cmath>

namespace kpid::kpi {
namespace {

std::optional<double> resolve_bound(const Bound& bound,
                                    std::span<const std::optional<double>> bounds) {
    if (const double* number = std::get_if<double>(&bound)) {
        return std::isnan(*number) ? std::nullopt : std::optional(*number);
    }
    const std::size_t index = std::get<ExprBound>(bound).index;
    if (index >= bounds.size() || !bounds[index] || std::isnan(*bounds[index])) {
        return std::nullopt;
    }
    return bounds[index];
}

}  // namespace

std::string_view to_string(Operator op) {
    switch (op) {
        case Operator::kAtLeast:
            return "at_least";
        case Operator::kAtMost:
            return "at_most";
        case Operator::kAbove:
            return "above";
        case Operator::kBelow:
            return "below";
        case Operator::kBetween:
            return "between";
        case Operator::kOutside:
            return "outside";
    }
    return "";
}

std::optional<Operator> parse_operator(std::string_view text) {
    for (const Operator op : kOperators) {
        if (text == to_string(op)) {
            return op;
        }
    }
    return std::nullopt;
}

bool takes_two_bounds(Operator op) {
    return op == Operator::kBetween || op == Operator::kOutside;
}

Operator negated(Operator op) {
    switch (op) {
        case Operator::kAtLeast:
            return Operator::kBelow;
        case Operator::kAtMost:
            return Operator::kAbove;
        case Operator::kAbove:
            return Operator::kAtMost;
        case Operator::kBelow:
            return Operator::kAtLeast;
        case Operator::kBetween:
            return Operator::kOutside;
        case Operator::kOutside:
            return Operator::kBetween;
    }
    return op;
}

bool holds(Operator op, double value, double a, double b) {
    switch (op) {
        case Operator::kAtLeast:
            return value >= a;
        case Operator::kAtMost:
            return value <= a;
        case Operator::kAbove:
            return value > a;
        case Operator::kBelow:
            return value < a;
        case Operator::kBetween:
            return value >= a && value <= b;
        case Operator::kOutside:
            return !std::isnan(a) && !std::isnan(b) && (value < a || value > b);
    }
    return false;
}

bool Condition::is_numeric() const {
    return std::holds_alternative<double>(a) &&
           (!takes_two_bounds(op) || std::holds_alternative<double>(b));
}

Condition negated(const Condition& condition) {
    return Condition{.op = negated(condition.op), .a = condition.a, .b = condition.b};
}

std::optional<ResolvedCondition> resolve(const Condition& condition,
                                         std::span<const std::optional<double>> bounds) {
    const std::optional<double> a = resolve_bound(condition.a, bounds);
    const std::optional<double> b =
        takes_two_bounds(condition.op) ? resolve_bound(condition.b, bounds) : 0.0;
    if (!a || !b) {
        return std::nullopt;
    }
    return ResolvedCondition{.op = condition.op, .a = *a, .b = *b};
}

std::string describe_json(const ResolvedCondition& condition) {
    JsonWriter out;
    out.begin_object().key(to_string(condition.op));
    if (takes_two_bounds(condition.op)) {
        out.begin_array().number(condition.a).number(condition.b).end_array();
    } else {
        out.number(condition.a);
    }
    out.end_object();
    return std::move(out).take();
}

std::string describe_text(const ResolvedCondition& condition, const model::Unit& unit) {
    std::string name(to_string(condition.op));
    for (char& c : name) {
        c = c == '_' ? ' ' : c;
    }
    const std::string a = model::format_in_unit(condition.a, unit);
    if (takes_two_bounds(condition.op)) {
        return fmt::format("{} {} and {}", name, a, model::format_in_unit(condition.b, unit));
    }
    return fmt::format("{} {}", name, a);
}

}  // namespace kpid::kpi
