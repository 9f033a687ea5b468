// Arithmetic on durations, in seconds.

#include "promql/duration_expr.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace kpid::promql {
namespace {

Error failed(const Expr& where, std::string_view message) {
    return invalid_argument(
        fmt::format("{}:{}: {}", where.position.start, where.position.end, message));
}

double seconds(Duration d) {
    return static_cast<double>(d.count()) / 1000.0;
}

Result<double> evaluate(const Expr& expr, const DurationScope& scope);

double either(double lhs, double rhs, bool larger) {
    if (std::isnan(lhs) || std::isnan(rhs)) {
        return std::nan("");
    }
    return larger ? std::fmax(lhs, rhs) : std::fmin(lhs, rhs);
}

Result<double> combine(const DurationExpr& node, double lhs, double rhs) {
    switch (node.op) {
        case DurationOperator::kAdd:
            return lhs + rhs;
        case DurationOperator::kSub:
            return lhs - rhs;
        case DurationOperator::kMul:
            return lhs * rhs;
        case DurationOperator::kDiv:
            if (rhs == 0) {
                return failed(node, "division by zero");
            }
            return lhs / rhs;
        case DurationOperator::kMod:
            if (rhs == 0) {
                return failed(node, "modulo by zero");
            }
            return std::fmod(lhs, rhs);
        case DurationOperator::kPow:
            return std::pow(lhs, rhs);
        case DurationOperator::kMinOf:
            return either(lhs, rhs, false);
        case DurationOperator::kMaxOf:
            return either(lhs, rhs, true);
        case DurationOperator::kStep:
        case DurationOperator::kRange:
            break;
    }
    return failed(node, "unknown operator in a duration");
}

Result<double> evaluate(const Expr& expr, const DurationScope& scope) {
    if (const auto* number = get_if<NumberLiteral>(expr)) {
        return number->value;
    }
    const auto* node = get_if<DurationExpr>(expr);
    if (node == nullptr) {
        return failed(expr, "a duration can only be computed from numbers and durations");
    }
    if (node->op == DurationOperator::kStep) {
        return seconds(scope.step);
    }
    if (node->op == DurationOperator::kRange) {
        return seconds(scope.range);
    }
    double lhs = 0;  // A unary sign works on nothing at its left.
    if (node->lhs != nullptr) {
        KPID_TRY(lhs, evaluate(*node->lhs, scope));
    }
    KPID_TRY(const double rhs, evaluate(*node->rhs, scope));
    return combine(*node, lhs, rhs);
}

}  // namespace

Result<Duration> evaluate_duration(const DurationExpr& expr, const DurationScope& scope,
                                   bool may_be_negative) {
    KPID_TRY(const double value, evaluate(expr, scope));
    // Prometheus counts durations in nanoseconds, 64 bits with a sign.
    constexpr double kSecondsMax = 9223372036.854775807;
    if (!std::isfinite(value)) {
        return failed(expr, "duration is NaN or infinite");
    }
    if (value <= 0 && !may_be_negative) {
        return failed(expr, "duration must be greater than 0");
    }
    if (std::abs(value) > kSecondsMax) {
        return failed(expr, "duration is out of range");
    }
    return Duration(static_cast<std::int64_t>(value * 1000));
}

}  // namespace kpid::promql
