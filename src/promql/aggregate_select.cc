// topk, bottomk, limitk, limit_ratio, count_values.

#include "promql/aggregate_select.h"

#include "kpid/base/number.h"
#include "promql/grouping.h"
#include "promql/parameters.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace kpid::promql {
namespace {

Error failed(std::string message) {
    return Error{Code::kUnprocessable, std::move(message)};
}

// A row that has a value at the step.
struct Candidate {
    std::size_t row = 0;
    double value = 0;
};

// topk: larger first; bottomk: smaller first; NaN last in both; ties in order of rows.
bool before(AggregateOperator op, const Candidate& a, const Candidate& b) {
    const bool a_nan = std::isnan(a.value);
    const bool b_nan = std::isnan(b.value);
    if (a_nan || b_nan) {
        return a_nan == b_nan ? a.row < b.row : b_nan;
    }
    if (a.value != b.value) {
        return op == AggregateOperator::kTopk ? a.value > b.value : a.value < b.value;
    }
    return a.row < b.row;
}

// The ratio's share of all label sets: the hash decides, so that r and r - 1 complement each other.
bool in_ratio(double ratio, const model::Labels& labels) {
    const double place = static_cast<double>(labels.hash()) / std::pow(2.0, 64);
    return ratio >= 0 ? place < ratio : place >= 1 + ratio;
}

// The k of all steps; false: nothing is asked for, whatever the rest says.
Result<bool> check_counts(const ParameterBounds& k) {
    constexpr double kInt64Limit = 9223372036854775808.0;
    if (k.largest < 1) {
        return false;
    }
    if (k.any_nan) {
        return failed("Parameter value is NaN");
    }
    if (k.smallest <= -kInt64Limit) {
        return failed(fmt::format("Scalar value {} underflows int64", go_number(k.smallest)));
    }
    if (k.largest >= kInt64Limit) {
        return failed(fmt::format("Scalar value {} overflows int64", go_number(k.largest)));
    }
    return true;
}

// The same for the ratios; those out of bounds are only warned of.
Result<bool> check_ratios(Evaluator& evaluator, const ParameterBounds& ratio, Position where) {
    if (ratio.largest == 0 && ratio.smallest == 0) {
        return false;
    }
    if (ratio.any_nan) {
        return failed("Ratio value is NaN");
    }
    const auto warn = [&](double value, double capped) {
        evaluator.annotations().warn(
            fmt::format("ratio value should be between -1 and 1, got {}, capping to {}",
                        go_number(value), go_number(capped)),
            where);
    };
    if (ratio.largest > 1) {
        warn(ratio.largest, 1);
    }
    if (ratio.smallest < -1) {
        warn(ratio.smallest, -1);
    }
    return true;
}

// Keeps the first k candidates, in their order.
void pick(AggregateOperator op, double k, std::vector<Candidate>& candidates) {
    const std::size_t count = k < 1 ? 0
                                    : static_cast<std::size_t>(std::min(
                                          std::floor(k), static_cast<double>(candidates.size())));
    if (op != AggregateOperator::kLimitk) {
        std::partial_sort(
            candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
            candidates.end(),
            [op](const Candidate& a, const Candidate& b) { return before(op, a, b); });
    }
    candidates.resize(count);
}

}  // namespace

Result<Rows> select_members(Evaluator& evaluator, const AggregateExpr& aggregate, Rows input,
                            const ScalarColumn& parameter, const Steps& steps) {
    const bool by_ratio = aggregate.op == AggregateOperator::kLimitRatio;
    const ParameterBounds bounds = bounds_of(parameter);
    KPID_TRY(const bool any,
             by_ratio ? check_ratios(evaluator, bounds, strip_parens(*aggregate.param).position)
                      : check_counts(bounds));
    if (!any) {
        return evaluator.new_rows();
    }
    const Grouping grouping(aggregate, input.rows);
    Charge working(evaluator.budget());
    KPID_CHECK_OK(working.add(input.rows.size()));
    std::vector<Row> picked(input.rows.size());
    std::vector<std::size_t> order;  // Of the rows' first being picked.
    std::vector<std::vector<Candidate>> candidates(grouping.count());
    for (std::size_t step = 0; step < steps.count; ++step) {
        KPID_CHECK_OK(evaluator.check_stop());
        const double limit = by_ratio ? std::clamp(parameter[step], -1.0, 1.0) : parameter[step];
        for (std::size_t r = 0; r < input.rows.size(); ++r) {
            const double value = input.rows[r].at(step);
            if (!is_absent(value) && (!by_ratio || in_ratio(limit, input.rows[r].labels))) {
                candidates[grouping.group_of[r]].push_back({r, value});
            }
        }
        for (std::vector<Candidate>& group : candidates) {
            if (!by_ratio) {
                pick(aggregate.op, limit, group);
            }
            for (const Candidate& candidate : group) {
                if (picked[candidate.row].values.empty()) {
                    order.push_back(candidate.row);
                }
                picked[candidate.row].append(step, candidate.value);
            }
            group.clear();
        }
    }
    if (steps.count > 1) {
        std::sort(order.begin(), order.end());  // Only a single step has an order of its own.
    }
    Rows rows = evaluator.new_rows();
    for (const std::size_t r : order) {
        picked[r].labels = std::move(input.rows[r].labels);
        picked[r].drop_name = input.rows[r].drop_name;
        KPID_CHECK_OK(rows.push(std::move(picked[r])));
    }
    return rows;
}

Result<Rows> count_values(Evaluator& evaluator, const AggregateExpr& aggregate, const Rows& input,
                          const std::string& label, const Steps& steps) {
    if (!is_label_name(label)) {
        return failed(fmt::format("invalid label name {}", model::quote_label_value(label)));
    }
    const Grouping grouping(aggregate, input.rows);
    // The label is set before the grouping: "without" may take it away again.
    const auto& names = aggregate.grouping;
    const bool shown =
        !aggregate.without || std::find(names.begin(), names.end(), label) == names.end();
    boost::unordered_flat_map<std::pair<std::size_t, std::string>, std::size_t> place_of_value;
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> place_of_labels;
    std::vector<Row> answer;
    std::vector<double> counts;  // By place in the answer, of one step.
    const auto place_of = [&](std::size_t group, double value) {
        const auto [known, fresh] = place_of_value.try_emplace({group, format_float(value)}, 0);
        if (fresh) {
            Row row = grouping.empty_row(group);
            row.drop_name = false;  // A name among the labels was asked for.
            row.labels = shown ? row.labels.with(label, known->first.second) : row.labels;
            known->second = place_of_labels.try_emplace(row.labels, answer.size()).first->second;
            if (known->second == answer.size()) {
                answer.push_back(std::move(row));
                counts.push_back(0);
            }
        }
        return known->second;
    };
    Charge working(evaluator.budget());
    for (std::size_t step = 0; step < steps.count; ++step) {
        KPID_CHECK_OK(evaluator.check_stop());
        std::fill(counts.begin(), counts.end(), 0.0);
        for (std::size_t r = 0; r < input.rows.size(); ++r) {
            const double value = input.rows[r].at(step);
            if (!is_absent(value)) {
                counts[place_of(grouping.group_of[r], value)] += 1;
            }
        }
        for (std::size_t place = 0; place < answer.size(); ++place) {
            if (counts[place] > 0) {
                const std::size_t size_before = answer[place].values.size();
                answer[place].append(step, counts[place]);
                KPID_CHECK_OK(working.add(answer[place].values.size() - size_before));
            }
        }
    }
    working = Charge(evaluator.budget());
    Rows rows = evaluator.new_rows();
    for (Row& row : answer) {
        KPID_CHECK_OK(rows.push(std::move(row)));
    }
    return rows;
}

}  // namespace kpid::promql
