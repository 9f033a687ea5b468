// Functions of range vectors: the windows of each series move along with two cursors.

#include "promql/function_table.h"
#include "promql/parameters.h"
#include "promql/window_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace kpid::promql {
namespace {

// Series that are worked on at once, and paid for together.
constexpr std::size_t kBlockSeries = 256;

// One series alone may keep a query busy for long: many steps over wide windows.
constexpr std::size_t kSamplesPerLook = 100'000;

// The arguments of a call: one range vector and scalars.
struct RangeArguments {
    RangeInput input;
    std::vector<ScalarColumn> scalars;
    Position range_place;
    std::vector<Position> scalar_places;
};

Result<RangeArguments> eval_arguments(Evaluator& evaluator, const Call& call, const Steps& steps) {
    RangeArguments arguments{{{}, Charge(evaluator.budget())}};
    for (const ExprPtr& argument : call.arguments) {
        if (argument->type == ValueType::kMatrix) {
            KPID_TRY(arguments.input, evaluator.eval_range(*argument, steps));
            arguments.range_place = strip_parens(*argument).position;
        } else {
            KPID_TRY(ScalarColumn column, evaluator.eval_scalar(*argument, steps));
            arguments.scalars.push_back(std::move(column));
            arguments.scalar_places.push_back(strip_parens(*argument).position);
        }
    }
    return arguments;
}

// After a stop the row is cut short; apply() asks again before it is used.
Row row_of(const Evaluator& evaluator, const RangeSeries& series, const RangeArguments& arguments,
           WindowFunction function, const Steps& steps) {
    Row row;
    std::size_t seen = 0;  // Samples since the last look at the stop.
    std::vector<double> parameters(arguments.scalars.size());
    std::size_t low = 0;   // The first sample inside the window.
    std::size_t high = 0;  // The first one behind it.
    const std::vector<Timestamp>& times = series.times;
    for (std::size_t step = 0; step < steps.count; ++step) {
        const Timestamp end = arguments.input.window_end(steps.at(step));
        const Timestamp start = saturating_sub(end, arguments.input.range);
        while (high < times.size() && times[high] <= end) {
            ++high;
        }
        while (low < high && times[low] <= start) {
            ++low;
        }
        if (low == high) {
            continue;
        }
        seen += high - low;
        if (seen >= kSamplesPerLook) {
            seen = 0;
            if (!evaluator.check_stop()) {
                return row;
            }
        }
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            parameters[i] = arguments.scalars[i][step];
        }
        const double value = function({std::span(times).subspan(low, high - low),
                                       std::span(series.values).subspan(low, high - low), start,
                                       end, steps.at(step), parameters});
        if (!is_absent(value)) {
            row.append(step, value);
        }
    }
    return row;
}

Result<Rows> apply(Evaluator& evaluator, RangeArguments& arguments, WindowFunction function,
                   const Steps& steps) {
    Rows rows = evaluator.new_rows();
    std::vector<RangeSeries>& series = arguments.input.series;
    std::vector<Row> block;
    for (std::size_t first = 0; first < series.size(); first += block.size()) {
        KPID_CHECK_OK(evaluator.check_stop());
        // No more at once than can still be paid for, should there be a value at every step.
        const std::size_t affordable =
            std::clamp<std::size_t>(evaluator.budget().remaining() / steps.count, 1, kBlockSeries);
        block.assign(std::min(affordable, series.size() - first), {});
        evaluator.executor().parallel_for(block.size(), [&](std::size_t i) {
            if (evaluator.check_stop()) {
                block[i] = row_of(evaluator, series[first + i], arguments, function, steps);
            }
        });
        for (std::size_t i = 0; i < block.size(); ++i) {
            block[i].labels = std::move(series[first + i].labels);
            block[i].drop_name = series[first + i].drop_name;
            KPID_CHECK_OK(rows.push(std::move(block[i])));
        }
    }
    KPID_CHECK_OK(evaluator.check_stop());
    return rows;
}

// The function's value, the name dropped.
template <WindowFunction Function>
Result<Evaluated> over_range(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    KPID_TRY(Rows rows, apply(evaluator, arguments, Function, steps));
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

// The function's value, which is one of the series' own: the name stays.
template <WindowFunction Function>
Result<Evaluated> over_range_named(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    KPID_TRY(Rows rows, apply(evaluator, arguments, Function, steps));
    KPID_CHECK_OK(merge_same_labels(rows.rows));
    return Evaluated(std::move(rows));
}

bool named_as_counter(std::string_view name) {
    constexpr std::array<std::string_view, 4> kSuffixes = {"_total", "_sum", "_count", "_bucket"};
    return name.empty() || std::any_of(kSuffixes.begin(), kSuffixes.end(),
                                       [name](auto suffix) { return name.ends_with(suffix); });
}

template <WindowFunction Function>
Result<Evaluated> of_counter(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    KPID_TRY(Rows rows, apply(evaluator, arguments, Function, steps));
    for (const Row& row : rows.rows) {
        const std::string_view name = row.labels.metric_name();
        if (!named_as_counter(name)) {
            evaluator.annotations().info(
                fmt::format("metric might not be a counter, name does not end in "
                            "_total/_sum/_count/_bucket: {}",
                            model::quote_label_value(name)),
                arguments.range_place);
        }
    }
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

bool any_at(const Rows& rows, std::size_t step) {
    return std::any_of(rows.rows.begin(), rows.rows.end(),
                       [step](const Row& row) { return !is_absent(row.at(step)); });
}

Result<Evaluated> quantile_over_time(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    KPID_TRY(Rows rows, apply(evaluator, arguments, window_quantile, steps));
    const ScalarColumn& quantiles = arguments.scalars[0];
    for (std::size_t step = 0; step < steps.count; ++step) {
        if (!(quantiles[step] >= 0 && quantiles[step] <= 1) && any_at(rows, step)) {
            warn_of_quantile(evaluator, quantiles[step], arguments.scalar_places[0]);
        }
    }
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

Result<void> check_factors(const ScalarColumn& factors, std::string_view kind,
                           std::string_view name) {
    for (const double factor : factors) {
        if (factor <= 0 || factor >= 1) {
            return Error{Code::kUnprocessable,
                         fmt::format("invalid {} factor. Expected: 0 < {} < 1, got: {:f}", kind,
                                     name, factor)};
        }
    }
    return {};
}

Result<Evaluated> double_exponential_smoothing(Evaluator& evaluator, const Call& call,
                                               const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    if (!arguments.input.series.empty()) {
        KPID_CHECK_OK(check_factors(arguments.scalars[0], "smoothing", "sf"));
        KPID_CHECK_OK(check_factors(arguments.scalars[1], "trend", "tf"));
    }
    KPID_TRY(Rows rows, apply(evaluator, arguments, window_smoothing, steps));
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

constexpr std::array<FunctionEntry, 26> kFunctions = {{
    {"avg_over_time", over_range<window_avg>},
    {"changes", over_range<window_changes>},
    {"count_over_time", over_range<window_count>},
    {"delta", over_range<window_delta>},
    {"deriv", over_range<window_deriv>},
    {"double_exponential_smoothing", double_exponential_smoothing},
    {"first_over_time", over_range_named<window_first>},
    {"idelta", over_range<window_idelta>},
    {"increase", of_counter<window_increase>},
    {"irate", over_range<window_irate>},
    {"last_over_time", over_range_named<window_last>},
    {"mad_over_time", over_range<window_mad>},
    {"max_over_time", over_range<window_max>},
    {"min_over_time", over_range<window_min>},
    {"predict_linear", over_range<window_predict_linear>},
    {"present_over_time", over_range<window_present>},
    {"quantile_over_time", quantile_over_time},
    {"rate", of_counter<window_rate>},
    {"resets", over_range<window_resets>},
    {"stddev_over_time", over_range<window_stddev>},
    {"stdvar_over_time", over_range<window_stdvar>},
    {"sum_over_time", over_range<window_sum>},
    {"ts_of_first_over_time", over_range<window_time_of_first>},
    {"ts_of_last_over_time", over_range<window_time_of_last>},
    {"ts_of_max_over_time", over_range<window_time_of_max>},
    {"ts_of_min_over_time", over_range<window_time_of_min>},
}};

}  // namespace

std::span<const FunctionEntry> range_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
