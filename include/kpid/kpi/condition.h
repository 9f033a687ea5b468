#pragma once
// Conditions on values: an operator with one or two bounds, as `{at_least: 20%}` says.

#include "kpid/model/unit.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace kpid::kpi {

/// How a value is compared. kBetween includes both ends, kOutside neither: they are each other's
/// opposite.
enum class Operator { kAtLeast, kAtMost, kAbove, kBelow, kBetween, kOutside };

inline constexpr std::array<Operator, 6> kOperators{Operator::kAtLeast, Operator::kAtMost,
                                                    Operator::kAbove,   Operator::kBelow,
                                                    Operator::kBetween, Operator::kOutside};

/// "at_least", "at_most", "above", "below", "between", "outside".
[[nodiscard]] std::string_view to_string(Operator op);
[[nodiscard]] std::optional<Operator> parse_operator(std::string_view text);
/// True for kBetween and kOutside: the operator takes [a, b].
[[nodiscard]] bool takes_two_bounds(Operator op);
/// The operator that holds exactly where `op` does not (NaN apart).
[[nodiscard]] Operator negated(Operator op);

/// Whether `value` fulfils the operator; exact at equality; never when any number involved is NaN.
/// `b` is read by operators with two bounds only.
[[nodiscard]] bool holds(Operator op, double value, double a, double b = 0);

/// A bound that an expression gives: index into Definition::bound_exprs.
struct ExprBound {
    std::size_t index = 0;
    bool operator==(const ExprBound&) const = default;
};
using Bound = std::variant<double, ExprBound>;

/// An operator and its bounds as they were written. `b` has a meaning for two bounds only.
struct Condition {
    Operator op = Operator::kAtLeast;
    Bound a = 0.0;
    Bound b = 0.0;
    bool operator==(const Condition&) const = default;
    /// True when no bound is an expression.
    [[nodiscard]] bool is_numeric() const;
};

/// The condition that holds exactly where this one does not: the default warning of a target.
[[nodiscard]] Condition negated(const Condition& condition);

/// A condition whose bounds are numbers: what is judged and shown.
struct ResolvedCondition {
    Operator op = Operator::kAtLeast;
    double a = 0;
    double b = 0;
    bool operator==(const ResolvedCondition&) const = default;
    [[nodiscard]] bool holds_for(double value) const { return holds(op, value, a, b); }
};

/// Puts in what the expressions gave; entry i is the answer of Definition::bound_exprs[i]. Nothing
/// when a bound that is needed has no answer or is NaN: the condition is not judged then.
[[nodiscard]] std::optional<ResolvedCondition> resolve(
    const Condition& condition, std::span<const std::optional<double>> bounds);

/// `{"at_least":0.2}`, `{"between":[1,2]}`: the condition in force, in base units.
[[nodiscard]] std::string describe_json(const ResolvedCondition& condition);
/// "at least 20 %", "between 1 and 2", for people.
[[nodiscard]] std::string describe_text(const ResolvedCondition& condition,
                                        const model::Unit& unit);

}  // namespace kpid::kpi
