// Aggregations that give one value for each group.

#include "promql/aggregate_select.h"
#include "promql/compensated_sum.h"
#include "promql/evaluator.h"
#include "promql/grouping.h"
#include "promql/parameters.h"
#include "promql/statistics.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cmath>
#include <memory>
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
    // `kept`: of earlier evaluations, for rows that know their places; null: rows that do not.
    Fold(Evaluator& evaluator, const AggregateExpr& aggregate, const Steps& steps, KeptGroups* kept)
        : evaluator_(evaluator),
          aggregate_(aggregate),
          names_(aggregate.grouping),
          steps_(steps),
          own_(kept == nullptr ? std::make_unique<KeptGroups>() : nullptr),
          groups_(kept == nullptr ? *own_ : *kept),
          working_(evaluator.budget()) {}

    Result<void> add(Row& row) {
        KPID_CHECK_OK(evaluator_.check_stop());
        const std::uint32_t group = group_of(row);
        if (group >= gathered_.size()) {
            gathered_.resize(group + 1);
        }
        std::vector<Gathered>& gathered = gathered_[group];
        if (gathered.empty()) {
            KPID_CHECK_OK(working_.add(steps_.count));
            gathered.resize(steps_.count);
            order_.push_back(group);
        }
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            if (!is_absent(row.values[i])) {
                gathered[row.first + i].add(aggregate_.op, row.values[i]);
            }
        }
        return {};
    }

    Result<Rows> finish() {
        Rows rows = evaluator_.new_rows();
        for (const std::uint32_t group : order_) {
            KPID_CHECK_OK(evaluator_.check_stop());
            const std::vector<Gathered> gathered = std::move(gathered_[group]);
            Row row;
            for (std::size_t step = 0; step < gathered.size(); ++step) {
                if (gathered[step].count > 0) {
                    row.append(step, gathered[step].result(aggregate_.op));
                }
            }
            row.labels = groups_.labels[group];
            row.drop_name = groups_.drop_name[group];
            KPID_CHECK_OK(rows.push(std::move(row)));
        }
        return rows;
    }

private:
    std::uint32_t group_of(Row& row) {
        if (!row.place.is_known()) {
            return number_of(row);
        }
        if (groups_.group_of.start(row.place.generation)) {
            groups_.labels.clear();
            groups_.drop_name.clear();
            groups_.numbers.clear();
        }
        std::uint32_t group = groups_.group_of.at(row.place.number);
        if (group == PlaceNumbers::kUnknown) {
            group = number_of(row);
            groups_.group_of.set(row.place.number, group);
        }
        return group;
    }

    std::uint32_t number_of(Row& row) {
        evaluator_.let_name_go(row);
        const auto next = static_cast<std::uint32_t>(groups_.labels.size());
        const auto [place, fresh] =
            groups_.numbers.try_emplace(group_labels(aggregate_, names_, row.labels), next);
        if (fresh) {
            groups_.labels.push_back(place->first);
            groups_.drop_name.push_back(false);
        }
        if (row.drop_name) {
            groups_.drop_name[place->second] = true;
        }
        return place->second;
    }

    Evaluator& evaluator_;
    const AggregateExpr& aggregate_;
    const NameSet names_;
    const Steps& steps_;
    const std::unique_ptr<KeptGroups> own_;
    KeptGroups& groups_;
    std::vector<std::vector<Gathered>> gathered_;  // By group, then by step.
    std::vector<std::uint32_t> order_;             // Groups by their first row.
    Charge working_;
};

Result<Rows> fold(Evaluator& evaluator, const AggregateExpr& aggregate, const Steps& steps) {
    if (evaluator.can_stream(*aggregate.expr, steps)) {
        Fold fold(evaluator, aggregate, steps, evaluator.kept_groups(aggregate));
        KPID_TRY(const bool is_whole, evaluator.stream(*aggregate.expr, steps, [&fold](Row& row) {
            return fold.add(row);
        }));
        if (is_whole) {
            return fold.finish();
        }
    }
    KPID_TRY(Rows input, evaluator.eval_vector(*aggregate.expr, steps));
    Fold fold(evaluator, aggregate, steps, nullptr);
    for (Row& row : input.rows) {
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
