// Aggregations that give one value for each group.

#include "promql/aggregate_select.h"
#include "promql/compensated_sum.h"
#include "promql/evaluator.h"
#include "promql/grouping.h"
#include "promql/parameters.h"
#include "promql/statistics.h"

#include <cmath>

namespace kpid::promql {
namespace {

// What a group has gathered at one step.
struct Gathered {
    std::uint64_t count = 0;
    CompensatedSum sum;
    CompensatedMean mean;
    double extreme = 0;
    double running_mean = 0;
    double squares = 0;

    void add(AggregateOperator op, double value) {
        ++count;
        switch (op) {
            case AggregateOperator::kSum:
                sum.add(value);
                break;
            case AggregateOperator::kAvg:
                mean.add(value);
                break;
            case AggregateOperator::kMin:
                if (count == 1 || value < extreme || std::isnan(extreme)) {
                    extreme = value;
                }
                break;
            case AggregateOperator::kMax:
                if (count == 1 || value > extreme || std::isnan(extreme)) {
                    extreme = value;
                }
                break;
            case AggregateOperator::kStddev:
            case AggregateOperator::kStdvar: {
                // Welford: numerically stable in one pass.
                const double delta = value - running_mean;
                running_mean += delta / static_cast<double>(count);
                squares += delta * (value - running_mean);
                break;
            }
            default:  // count and group look at the count alone.
                break;
        }
    }

    [[nodiscard]] double result(AggregateOperator op) const {
        switch (op) {
            case AggregateOperator::kSum:
                return sum.value();
            case AggregateOperator::kAvg:
                return mean.value();
            case AggregateOperator::kCount:
                return static_cast<double>(count);
            case AggregateOperator::kGroup:
                return 1;
            case AggregateOperator::kStdvar:
                return squares / static_cast<double>(count);
            case AggregateOperator::kStddev:
                return std::sqrt(squares / static_cast<double>(count));
            default:
                return extreme;
        }
    }
};

Result<Rows> fold(Evaluator& evaluator, const AggregateExpr& aggregate, const Rows& input,
                  const Steps& steps) {
    const Grouping grouping(aggregate, input.rows);
    Charge working(evaluator.budget());
    KPID_CHECK_OK(working.add(grouping.count()));
    std::vector<Row> answer;
    answer.reserve(grouping.count());
    for (std::size_t g = 0; g < grouping.count(); ++g) {
        answer.push_back(grouping.empty_row(g));
    }
    std::vector<Gathered> gathered(grouping.count());
    for (std::size_t step = 0; step < steps.count; ++step) {
        KPID_CHECK_OK(evaluator.check_stop());
        for (std::size_t r = 0; r < input.rows.size(); ++r) {
            const double value = input.rows[r].at(step);
            if (!is_absent(value)) {
                gathered[grouping.group_of[r]].add(aggregate.op, value);
            }
        }
        for (std::size_t g = 0; g < gathered.size(); ++g) {
            if (gathered[g].count > 0) {
                answer[g].append(step, gathered[g].result(aggregate.op));
                gathered[g] = {};
            }
        }
    }
    Rows rows = evaluator.new_rows();
    for (Row& row : answer) {
        KPID_CHECK_OK(rows.push(std::move(row)));
    }
    return rows;
}

Result<Rows> fold_quantile(Evaluator& evaluator, const AggregateExpr& aggregate, const Rows& input,
                           const ScalarColumn& parameter, const Steps& steps) {
    const Grouping grouping(aggregate, input.rows);
    std::vector<std::vector<std::size_t>> members(grouping.count());
    for (std::size_t r = 0; r < input.rows.size(); ++r) {
        members[grouping.group_of[r]].push_back(r);
    }
    const Position where = strip_parens(*aggregate.param).position;
    const ParameterBounds bounds = bounds_of(parameter);
    if (bounds.any_nan) {
        warn_of_quantile(evaluator, std::nan(""), where);
    }
    if (bounds.largest > 1) {
        warn_of_quantile(evaluator, bounds.largest, where);
    }
    if (bounds.smallest < 0) {
        warn_of_quantile(evaluator, bounds.smallest, where);
    }
    Rows rows = evaluator.new_rows();
    std::vector<double> values;
    for (std::size_t g = 0; g < grouping.count(); ++g) {
        Row row = grouping.empty_row(g);
        for (std::size_t step = 0; step < steps.count; ++step) {
            KPID_CHECK_OK(evaluator.check_stop());
            values.clear();
            for (const std::size_t r : members[g]) {
                const double value = input.rows[r].at(step);
                if (!is_absent(value)) {
                    values.push_back(value);
                }
            }
            if (!values.empty()) {
                row.append(step, quantile(parameter[step], values));
            }
        }
        KPID_CHECK_OK(rows.push(std::move(row)));
    }
    return rows;
}

}  // namespace

Result<Rows> eval_aggregate(Evaluator& evaluator, const AggregateExpr& aggregate,
                            const Steps& steps) {
    if (aggregate.op == AggregateOperator::kCountValues) {
        KPID_TRY(const std::string label, evaluator.eval_string(*aggregate.param));
        KPID_TRY(const Rows input, evaluator.eval_vector(*aggregate.expr, steps));
        return count_values(evaluator, aggregate, input, label, steps);
    }
    if (!takes_parameter(aggregate.op)) {
        KPID_TRY(const Rows input, evaluator.eval_vector(*aggregate.expr, steps));
        return fold(evaluator, aggregate, input, steps);
    }
    KPID_TRY(const ScalarColumn parameter, evaluator.eval_scalar(*aggregate.param, steps));
    KPID_TRY(Rows input, evaluator.eval_vector(*aggregate.expr, steps));
    if (aggregate.op == AggregateOperator::kQuantile) {
        return fold_quantile(evaluator, aggregate, input, parameter, steps);
    }
    return select_members(evaluator, aggregate, std::move(input), parameter, steps);
}

}  // namespace kpid::promql
