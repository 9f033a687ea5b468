// Binary operators where a scalar is on a side; two vectors go to the matching.

#include "promql/binary_operation.h"
#include "promql/evaluator.h"
#include "promql/signatures.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::promql {
namespace {

ScalarColumn combine_scalars(BinaryOperator op, const ScalarColumn& lhs, const ScalarColumn& rhs) {
    ScalarColumn answer(lhs.size());
    for (std::size_t i = 0; i < lhs.size(); ++i) {
        answer[i] = is_comparison(op) ? (apply_comparison(op, lhs[i], rhs[i]) ? 1.0 : 0.0)
                                      : apply_arithmetic(op, lhs[i], rhs[i]);
    }
    return answer;
}

// One value of the vector against the scalar. A comparison without `bool` keeps the vector's value.
double combine_one(const BinaryExpr& binary, double vector_value, double scalar, bool swapped) {
    const double lhs = swapped ? scalar : vector_value;
    const double rhs = swapped ? vector_value : scalar;
    if (!is_comparison(binary.op)) {
        return apply_arithmetic(binary.op, lhs, rhs);
    }
    const bool holds = apply_comparison(binary.op, lhs, rhs);
    if (binary.return_bool) {
        return holds ? 1.0 : 0.0;
    }
    return holds ? vector_value : absent();
}

Result<Rows> combine_vector_scalar(Evaluator& evaluator, const BinaryExpr& binary, Rows rows,
                                   const ScalarColumn& scalars, bool swapped) {
    for (Row& row : rows.rows) {
        KPID_CHECK_OK(evaluator.check_stop());
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            double& value = row.values[i];
            if (!is_absent(value)) {
                value = combine_one(binary, value, scalars[row.first + i], swapped);
            }
        }
    }
    if (!is_comparison(binary.op) || binary.return_bool) {
        KPID_CHECK_OK(evaluator.drop_names(rows));
    }
    return rows;
}

Result<Rows> combine_rows(Evaluator& evaluator, const BinaryExpr& binary, Evaluated& lhs,
                          Evaluated& rhs, const Steps& steps) {
    auto* left_rows = std::get_if<Rows>(&lhs);
    auto* right_rows = std::get_if<Rows>(&rhs);
    if (left_rows != nullptr && right_rows != nullptr && binary.matching) {
        return is_set_operator(binary.op)
                   ? eval_set_operator(evaluator, binary, std::move(*left_rows),
                                       std::move(*right_rows), steps)
                   : eval_vector_matching(evaluator, binary, std::move(*left_rows),
                                          std::move(*right_rows), steps);
    }
    const auto* left_column = std::get_if<ScalarColumn>(&lhs);
    const auto* right_column = std::get_if<ScalarColumn>(&rhs);
    if (left_rows != nullptr && right_column != nullptr) {
        return combine_vector_scalar(evaluator, binary, std::move(*left_rows), *right_column,
                                     false);
    }
    if (right_rows != nullptr && left_column != nullptr) {
        return combine_vector_scalar(evaluator, binary, std::move(*right_rows), *left_column, true);
    }
    return invalid_argument("operands must be scalars or instant vectors");
}

// Whether a pair of values meets at any step. A scalar meets everything.
bool any_pair(const BinaryExpr& binary, const Evaluated& lhs, const Evaluated& rhs,
              const Steps& steps) {
    const auto* left = std::get_if<Rows>(&lhs);
    const auto* right = std::get_if<Rows>(&rhs);
    if (left == nullptr || right == nullptr || !binary.matching) {
        const Rows* rows = left != nullptr ? left : right;
        return rows != nullptr && std::any_of(rows->rows.begin(), rows->rows.end(),
                                              [](const Row& row) { return row.any(); });
    }
    Signatures signatures(*binary.matching);
    const std::vector<std::size_t> left_numbers = signatures.number(left->rows);
    const std::vector<std::size_t> right_numbers = signatures.number(right->rows);
    for (std::size_t step = 0; step < steps.count; ++step) {
        std::vector<bool> seen(signatures.count(), false);
        for (std::size_t r = 0; r < left->rows.size(); ++r) {
            seen[left_numbers[r]] = seen[left_numbers[r]] || !is_absent(left->rows[r].at(step));
        }
        for (std::size_t r = 0; r < right->rows.size(); ++r) {
            if (seen[right_numbers[r]] && !is_absent(right->rows[r].at(step))) {
                return true;
            }
        }
    }
    return false;
}

// The operators that trim native histograms say that floats are not what they work on, and give
// nothing.
Rows trim_floats(Evaluator& evaluator, const BinaryExpr& binary, const Evaluated& lhs,
                 const Evaluated& rhs, const Steps& steps) {
    if (any_pair(binary, lhs, rhs, steps)) {
        evaluator.annotations().info(
            fmt::format("incompatible sample types encountered for binary operator \"{0}\": "
                        "float {0} float",
                        to_string(binary.op)),
            binary.position);
    }
    return evaluator.new_rows();
}

[[gnu::noinline]] Result<Evaluated> combine(Evaluator& evaluator, const BinaryExpr& binary,
                                            Evaluated& lhs, Evaluated& rhs, const Steps& steps) {
    if (binary.op == BinaryOperator::kTrimLower || binary.op == BinaryOperator::kTrimUpper) {
        return Evaluated(trim_floats(evaluator, binary, lhs, rhs, steps));
    }
    const auto* left_column = std::get_if<ScalarColumn>(&lhs);
    const auto* right_column = std::get_if<ScalarColumn>(&rhs);
    if (left_column != nullptr && right_column != nullptr) {
        return Evaluated(combine_scalars(binary.op, *left_column, *right_column));
    }
    KPID_TRY(Rows rows, combine_rows(evaluator, binary, lhs, rhs, steps));
    return Evaluated(std::move(rows));
}

[[gnu::noinline]] Result<void> check_supported(const BinaryExpr& binary) {
    if (binary.matching && (binary.matching->fill_lhs || binary.matching->fill_rhs)) {
        return unsupported("the modifier \"fill\" is not supported yet");
    }
    return {};
}

}  // namespace

// Its frame stands once for each operator of a chain: all work is done in functions of its own.
Result<Evaluated> eval_binary(Evaluator& evaluator, const BinaryExpr& binary, const Steps& steps) {
    if (auto supported = check_supported(binary); !supported) {
        return std::move(supported).error();
    }
    Result<Evaluated> lhs = evaluator.eval(*binary.lhs, steps);
    if (!lhs) {
        return lhs;
    }
    Result<Evaluated> rhs = evaluator.eval(*binary.rhs, steps);
    if (!rhs) {
        return rhs;
    }
    return combine(evaluator, binary, *lhs, *rhs, steps);
}

}  // namespace kpid::promql
