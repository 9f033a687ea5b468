// Aggregations that give one value for each group.

#include "promql/aggregate_select.h"
#include "promql/compensated_sum.h"
#include "promql/evaluator.h"
#include "promql/grouping.h"
#include "promql/parameters.h"
#include "promql/statistics.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cmath>
#include <utility>
#include <vector>

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

// Gathers rows one after the other, each at all steps, so that none need be held.
class Fold {
public:
    Fold(Evaluator& evaluator, const AggregateExpr& aggregate, const Steps& steps)
        : evaluator_(evaluator),
          aggregate_(aggregate),
          names_(aggregate.grouping),
          steps_(steps),
          working_(evaluator.budget()) {}

    Result<void> add(const Row& row) {
        KPID_CHECK_OK(evaluator_.check_stop());
        KPID_TRY(Group * group, group_of(row));
        group->drop_name = group->drop_name || row.drop_name;
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            if (!is_absent(row.values[i])) {
                group->steps[row.first + i].add(aggregate_.op, row.values[i]);
            }
        }
        return {};
    }

    Result<Rows> finish() {
        Rows rows = evaluator_.new_rows();
        for (Group& group : groups_) {
            KPID_CHECK_OK(evaluator_.check_stop());
            Row row;
            row.labels = std::move(group.labels);
            row.drop_name = group.drop_name;
            for (std::size_t step = 0; step < steps_.count; ++step) {
                if (group.steps[step].count > 0) {
                    row.append(step, group.steps[step].result(aggregate_.op));
                }
            }
            group.steps = {};
            KPID_CHECK_OK(rows.push(std::move(row)));
        }
        return rows;
    }

private:
    struct Group {
        model::Labels labels;
        bool drop_name = false;
        std::vector<Gathered> steps;
    };

    Result<Group*> group_of(const Row& row) {
        model::Labels key = group_labels(aggregate_, names_, row.labels);
        const auto [place, fresh] = numbers_.try_emplace(std::move(key), groups_.size());
        if (fresh) {
            KPID_CHECK_OK(working_.add(steps_.count));
            groups_.push_back({place->first, false, std::vector<Gathered>(steps_.count)});
        }
        return &groups_[place->second];
    }

    Evaluator& evaluator_;
    const AggregateExpr& aggregate_;
    const NameSet names_;
    const Steps& steps_;
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> numbers_;
    std::vector<Group> groups_;
    Charge working_;
};

Result<Rows> fold(Evaluator& evaluator, const AggregateExpr& aggregate, const Steps& steps) {
    if (evaluator.can_stream(*aggregate.expr, steps)) {
        Fold fold(evaluator, aggregate, steps);
        KPID_TRY(const bool is_whole,
                 evaluator.stream(*aggregate.expr, steps,
                                  [&fold](const Row& row) { return fold.add(row); }));
        if (is_whole) {
            return fold.finish();
        }
    }
    KPID_TRY(const Rows input, evaluator.eval_vector(*aggregate.expr, steps));
    Fold fold(evaluator, aggregate, steps);
    for (const Row& row : input.rows) {
        KPID_CHECK_OK(fold.add(row));
    }
    return fold.finish();
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
        return fold(evaluator, aggregate, steps);
    }
    KPID_TRY(const ScalarColumn parameter, evaluator.eval_scalar(*aggregate.param, steps));
    KPID_TRY(Rows input, evaluator.eval_vector(*aggregate.expr, steps));
    if (aggregate.op == AggregateOperator::kQuantile) {
        return fold_quantile(evaluator, aggregate, input, parameter, steps);
    }
    return select_members(evaluator, aggregate, std::move(input), parameter, steps);
}

}  // namespace kpid::promql
