// Arithmetic on durations, in seconds.

#include "promql/duration_expr.h"

#include <algorithm>
#include <cmath>

namespace kpid::promql {
namespace {

Error failed(std::string message) {
    return Error{Code::kUnprocessable, std::move(message)};
}

double seconds(Duration d) {
    return static_cast<double>(d.count()) / 1000.0;
}

Result<double> evaluate(const Expr& expr, const DurationScope& scope);

Result<double> combine(DurationOperator op, double lhs, double rhs) {
    switch (op) {
        case DurationOperator::kAdd:
            return lhs + rhs;
        case DurationOperator::kSub:
            return lhs - rhs;
        case DurationOperator::kMul:
            return lhs * rhs;
        case DurationOperator::kDiv:
            if (rhs == 0) {
                return failed("division by zero");
            }
            return lhs / rhs;
        case DurationOperator::kMod:
            if (rhs == 0) {
                return failed("modulo by zero");
            }
            return std::fmod(lhs, rhs);
        case DurationOperator::kPow:
            return std::pow(lhs, rhs);
        case DurationOperator::kMinOf:
            return std::min(lhs, rhs);
        case DurationOperator::kMaxOf:
            return std::max(lhs, rhs);
        case DurationOperator::kStep:
        case DurationOperator::kRange:
            break;
    }
    return failed("unknown operator in a duration");
}

Result<double> evaluate(const Expr& expr, const DurationScope& scope) {
    if (const auto* number = get_if<NumberLiteral>(expr)) {
        return number->value;
    }
    const auto* node = get_if<DurationExpr>(expr);
    if (node == nullptr) {
        return failed("a duration can only be computed from numbers and durations");
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
    return combine(node->op, lhs, rhs);
}

}  // namespace

Result<Duration> evaluate_duration(const DurationExpr& expr, const DurationScope& scope) {
    KPID_TRY(const double value, evaluate(expr, scope));
    const double milliseconds = std::round(value * 1000);
    if (!(std::abs(milliseconds) < 9.2e18)) {
        return failed("duration out of range");
    }
    return Duration(static_cast<std::int64_t>(milliseconds));
}

}  // namespace kpid::promql
