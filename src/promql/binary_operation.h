#pragma once
// What binary operators do with two numbers.

#include "kpid/promql/ast.h"

#include <cmath>

namespace kpid::promql {

/// The value of an arithmetic operator. IEEE 754 throughout; `%` is C's fmod.
[[nodiscard]] inline double apply_arithmetic(BinaryOperator op, double lhs, double rhs) {
    switch (op) {
        case BinaryOperator::kAdd:
            return lhs + rhs;
        case BinaryOperator::kSub:
            return lhs - rhs;
        case BinaryOperator::kMul:
            return lhs * rhs;
        case BinaryOperator::kDiv:
            return lhs / rhs;
        case BinaryOperator::kMod:
            return std::fmod(lhs, rhs);
        case BinaryOperator::kPow:
            return std::pow(lhs, rhs);
        case BinaryOperator::kAtan2:
            return std::atan2(lhs, rhs);
        default:
            return std::nan("");
    }
}

/// Whether a comparison holds; nothing compares with NaN but `!=`.
[[nodiscard]] inline bool apply_comparison(BinaryOperator op, double lhs, double rhs) {
    switch (op) {
        case BinaryOperator::kEqual:
            return lhs == rhs;
        case BinaryOperator::kNotEqual:
            return lhs != rhs;
        case BinaryOperator::kLess:
            return lhs < rhs;
        case BinaryOperator::kLessOrEqual:
            return lhs <= rhs;
        case BinaryOperator::kGreater:
            return lhs > rhs;
        case BinaryOperator::kGreaterOrEqual:
            return lhs >= rhs;
        default:
            return false;
    }
}

}  // namespace kpid::promql
