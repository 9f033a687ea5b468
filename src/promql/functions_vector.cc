// Functions between scalars and vectors, of absence, of order.

#include "promql/function_table.h"
#include "promql/natural_order.h"
#include "promql/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace kpid::promql {
namespace {

Result<Evaluated> scalar(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    ScalarColumn column(steps.count, std::nan(""));
    for (std::size_t step = 0; step < steps.count; ++step) {
        KPID_CHECK_OK(evaluator.check_stop());
        std::size_t count = 0;
        for (const Row& row : rows.rows) {
            const double value = row.at(step);
            if (!is_absent(value)) {
                column[step] = ++count == 1 ? value : std::nan("");
            }
        }
    }
    return Evaluated(std::move(column));
}

Result<Evaluated> vector(Evaluator& evaluator, const Call& call, const Steps& steps) {
    Row row;
    KPID_TRY(row.values, evaluator.eval_scalar(*call.arguments[0], steps));
    Rows rows = evaluator.new_rows();
    KPID_CHECK_OK(rows.push(std::move(row)));
    return Evaluated(std::move(rows));
}

// The labels that an absent series would have: those that the selector pins to one value.
model::Labels labels_of_absent(const Expr& argument) {
    const Expr& node = strip_parens(argument);
    const auto* selector = get_if<VectorSelector>(node);
    if (const auto* matrix = get_if<MatrixSelector>(node)) {
        selector = matrix->selector.get();
    }
    if (selector == nullptr) {
        return {};
    }
    std::map<std::string_view, std::string_view> pinned;  // "" where it is not one value.
    for (const model::Matcher& matcher : selector->matchers) {
        if (matcher.name() == model::kMetricName) {
            continue;
        }
        const bool one = matcher.type() == model::MatchType::kEqual;
        const auto [place, fresh] = pinned.try_emplace(
            matcher.name(), one ? std::string_view(matcher.value()) : std::string_view());
        if (!fresh) {
            place->second = "";
        }
    }
    model::LabelsBuilder builder;
    for (const auto& [name, value] : pinned) {
        builder.set(name, value);
    }
    return builder.build();
}

Result<Evaluated> ones_where_absent(Evaluator& evaluator, const Expr& argument,
                                    const std::vector<bool>& present) {
    Row row;
    row.labels = labels_of_absent(argument);
    for (std::size_t step = 0; step < present.size(); ++step) {
        if (!present[step]) {
            row.append(step, 1);
        }
    }
    Rows rows = evaluator.new_rows();
    KPID_CHECK_OK(rows.push(std::move(row)));
    return Evaluated(std::move(rows));
}

Result<Evaluated> absent_vector(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    std::vector<bool> present(steps.count, false);
    for (const Row& row : rows.rows) {
        KPID_CHECK_OK(evaluator.check_stop());
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            if (!is_absent(row.values[i])) {
                present[row.first + i] = true;
            }
        }
    }
    return ones_where_absent(evaluator, *call.arguments[0], present);
}

Result<Evaluated> absent_over_time(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const RangeInput input, evaluator.eval_range(*call.arguments[0], steps));
    std::vector<bool> present(steps.count, false);
    for (const RangeSeries& series : input.series) {
        KPID_CHECK_OK(evaluator.check_stop());
        std::size_t behind = 0;  // The first sample behind the window.
        for (std::size_t step = 0; step < steps.count; ++step) {
            const Timestamp end = input.window_end(steps.at(step));
            while (behind < series.times.size() && series.times[behind] <= end) {
                ++behind;
            }
            if (behind > 0 && series.times[behind - 1] > saturating_sub(end, input.range)) {
                present[step] = true;
            }
        }
    }
    return ones_where_absent(evaluator, *call.arguments[0], present);
}

void warn_when_pointless(Evaluator& evaluator, const Call& call, const Steps& steps) {
    if (steps.count > 1) {
        evaluator.annotations().warn(
            "sort is ineffective for range queries since results are always ordered by labels",
            call.position);
    }
}

// By value, NaN last in both directions. Only the order at the first step counts: range queries
// order by labels anyway.
template <bool Descending>
Result<Evaluated> sort(Evaluator& evaluator, const Call& call, const Steps& steps) {
    warn_when_pointless(evaluator, call, steps);
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    std::stable_sort(rows.rows.begin(), rows.rows.end(), [](const Row& a, const Row& b) {
        const double left = a.at(0);
        const double right = b.at(0);
        if (std::isnan(left) || std::isnan(right)) {
            return !std::isnan(left);
        }
        return Descending ? left > right : left < right;
    });
    return Evaluated(std::move(rows));
}

template <bool Descending>
Result<Evaluated> sort_by_label(Evaluator& evaluator, const Call& call, const Steps& steps) {
    warn_when_pointless(evaluator, call, steps);
    std::vector<std::string> names;
    for (std::size_t i = 1; i < call.arguments.size(); ++i) {
        KPID_TRY(std::string name, evaluator.eval_string(*call.arguments[i]));
        names.push_back(std::move(name));
    }
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    std::stable_sort(rows.rows.begin(), rows.rows.end(), [&](const Row& a, const Row& b) {
        const Row& left = Descending ? b : a;
        const Row& right = Descending ? a : b;
        for (const std::string& name : names) {
            const int order = compare_naturally(left.labels.get(name), right.labels.get(name));
            if (order != 0) {
                return order < 0;
            }
        }
        return left.labels < right.labels;
    });
    return Evaluated(std::move(rows));
}

constexpr std::array<FunctionEntry, 8> kFunctions = {{
    {"absent", absent_vector},
    {"absent_over_time", absent_over_time},
    {"scalar", scalar},
    {"sort", sort<false>},
    {"sort_by_label", sort_by_label<false>},
    {"sort_by_label_desc", sort_by_label<true>},
    {"sort_desc", sort<true>},
    {"vector", vector},
}};

}  // namespace

std::span<const FunctionEntry> vector_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
