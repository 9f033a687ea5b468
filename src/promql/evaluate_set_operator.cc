// and, or, unless.

#include "promql/evaluator.h"
#include "promql/signatures.h"

#include <limits>

namespace kpid::promql {
namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

// Notes at which step each signature was seen last.
struct Seen {
    explicit Seen(std::size_t count) : step_of(count, kNever) {}

    void mark(const std::vector<Row>& rows, const std::vector<std::size_t>& numbers,
              std::size_t step) {
        for (std::size_t r = 0; r < rows.size(); ++r) {
            if (!is_absent(rows[r].at(step))) {
                step_of[numbers[r]] = step;
            }
        }
    }

    std::vector<std::size_t> step_of;
};

// Takes away the values of a step where the other side's having the signature is not `wanted`.
void filter(std::vector<Row>& rows, const std::vector<std::size_t>& numbers, const Seen& seen,
            std::size_t step, bool wanted) {
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (!is_absent(rows[r].at(step)) && (seen.step_of[numbers[r]] == step) != wanted) {
            rows[r].values[step - rows[r].first] = absent();
        }
    }
}

}  // namespace

Result<Rows> eval_set_operator(Evaluator& evaluator, const BinaryExpr& binary, Rows lhs, Rows rhs,
                               const Steps& steps) {
    Signatures signatures(*binary.matching);
    const std::vector<std::size_t> left = signatures.number(lhs.rows);
    const std::vector<std::size_t> right = signatures.number(rhs.rows);
    Seen seen(signatures.count());
    const bool is_or = binary.op == BinaryOperator::kOr;
    for (std::size_t step = 0; step < steps.count; ++step) {
        KPID_CHECK_OK(evaluator.check_stop());
        if (is_or) {
            seen.mark(lhs.rows, left, step);
            filter(rhs.rows, right, seen, step, false);
        } else {
            seen.mark(rhs.rows, right, step);
            filter(lhs.rows, left, seen, step, binary.op == BinaryOperator::kAnd);
        }
    }
    if (is_or) {
        for (Row& row : rhs.rows) {
            if (row.any()) {
                KPID_CHECK_OK(lhs.push(std::move(row)));
            }
        }
    }
    std::erase_if(lhs.rows, [](const Row& row) { return !row.any(); });
    KPID_CHECK_OK(merge_same_labels(lhs.rows));
    return lhs;
}

}  // namespace kpid::promql
