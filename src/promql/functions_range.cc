// Functions of range vectors: the windows of each series move along with two cursors.

#include "promql/function_table.h"
#include "promql/parameters.h"
#include "promql/window_functions.h"

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kpid::promql {
namespace {

// Series that are worked on at once, and paid for together; no more when they have many samples.
constexpr std::size_t kBlockSeries = 256;
constexpr std::size_t kBlockSamples = 65'536;

// One series alone may keep a query busy for long: many steps over wide windows.
constexpr std::size_t kSamplesPerLook = 100'000;

// What a function makes of a window, and of the row as a whole.
struct RangeFunction {
    WindowFunction function = nullptr;
    bool keeps_name = false;  // The value is one of the series' own.
    bool of_counter = false;
};

// The arguments of a call: where the windows of its range vector lie, and scalars.
struct RangeArguments {
    RangeInput frame;
    const MatrixSelector* matrix = nullptr;  // else the frame has the series
    std::vector<ScalarColumn> scalars;
    Position range_place;
    std::vector<Position> scalar_places;
};

Result<RangeArguments> eval_arguments(Evaluator& evaluator, const Call& call, const Steps& steps) {
    RangeArguments arguments{{{}, Charge(evaluator.budget())}};
    for (const ExprPtr& argument : call.arguments) {
        if (argument->type != ValueType::kMatrix) {
            KPID_TRY(ScalarColumn column, evaluator.eval_scalar(*argument, steps));
            arguments.scalars.push_back(std::move(column));
            arguments.scalar_places.push_back(strip_parens(*argument).position);
            continue;
        }
        const Expr& range = strip_parens(*argument);
        arguments.range_place = range.position;
        arguments.matrix = get_if<MatrixSelector>(range);
        if (arguments.matrix != nullptr) {
            KPID_TRY(arguments.frame, evaluator.frame_of(*arguments.matrix));
        } else {
            KPID_TRY(arguments.frame, evaluator.eval_range(range, steps));
        }
    }
    return arguments;
}

// Moves the windows of a series along, with a cursor at each end.
class WindowWalk {
public:
    WindowWalk(const Evaluator& evaluator, const RangeArguments& arguments,
               const RangeFunction& function, const Steps& steps)
        : evaluator_(evaluator), arguments_(arguments), function_(function), steps_(steps) {}

    // After a stop the row is cut short; whoever uses it asks before.
    void fill(const RangeSeries& series, Row& row) const {
        row.values.clear();
        row.values.reserve(steps_.count);
        row.labels = series.labels;
        row.drop_name = series.drop_name;
        std::vector<std::uint32_t> resets;
        if (function_.of_counter) {
            find_resets(series.values, resets);
        }
        std::vector<double> parameters(arguments_.scalars.size());
        const std::vector<Timestamp>& times = series.times;
        std::size_t seen = 0;         // Samples since the last look at the stop.
        std::size_t low = 0;          // The first sample inside the window.
        std::size_t high = 0;         // The first one behind it.
        std::size_t first_reset = 0;  // The first one behind the window's first sample.
        std::size_t end_reset = 0;    // The first one behind the window.
        for (std::size_t step = 0; step < steps_.count; ++step) {
            const Timestamp end = arguments_.frame.window_end(steps_.at(step));
            const Timestamp start = saturating_sub(end, arguments_.frame.range);
            while (high < times.size() && times[high] <= end) {
                ++high;
            }
            while (low < high && times[low] <= start) {
                ++low;
            }
            if (low == high) {
                continue;
            }
            while (end_reset < resets.size() && resets[end_reset] < high) {
                ++end_reset;
            }
            while (first_reset < end_reset && resets[first_reset] <= low) {
                ++first_reset;
            }
            seen += high - low;
            if (seen >= kSamplesPerLook) {
                seen = 0;
                if (!evaluator_.check_stop()) {
                    return;
                }
            }
            for (std::size_t i = 0; i < parameters.size(); ++i) {
                parameters[i] = arguments_.scalars[i][step];
            }
            const double value = function_.function(
                {std::span(times).subspan(low, high - low),
                 std::span(series.values).subspan(low, high - low), start, end, steps_.at(step),
                 parameters, std::span(resets).subspan(first_reset, end_reset - first_reset),
                 static_cast<std::uint32_t>(low)});
            if (!is_absent(value)) {
                row.append(step, value);
            }
        }
    }

private:
    static void find_resets(const std::vector<double>& values, std::vector<std::uint32_t>& resets) {
        for (std::size_t i = 1; i < values.size(); ++i) {
            if (values[i] < values[i - 1]) {
                resets.push_back(static_cast<std::uint32_t>(i));
            }
        }
    }

    const Evaluator& evaluator_;
    const RangeArguments& arguments_;
    const RangeFunction& function_;
    const Steps& steps_;
};

// Gathers series into blocks, works on each in parallel and hands the rows on.
class RangeRows {
public:
    RangeRows(Evaluator& evaluator, const RangeArguments& arguments, const RangeFunction& function,
              const Steps& steps, const RowSink& sink)
        : evaluator_(evaluator),
          arguments_(arguments),
          function_(function),
          steps_(steps),
          sink_(sink),
          held_(evaluator.budget()) {}

    // Takes the series' samples away, and leaves others whose memory can be used.
    Result<void> add(RangeSeries& series) {
        if (used_ == 0) {
            // No more at once than can still be paid for, should there be a value at every step.
            const std::size_t affordable = evaluator_.budget().remaining() / steps_.count;
            limit_ = std::clamp<std::size_t>(affordable, 1, kBlockSeries);
        }
        KPID_CHECK_OK(held_.add(series.times.size()));
        samples_ += series.times.size();
        if (used_ == series_.size()) {
            series_.emplace_back();
            rows_.emplace_back();
        }
        std::swap(series_[used_++], series);
        const bool is_full = used_ >= limit_ || samples_ >= kBlockSamples ||
                             samples_ >= evaluator_.budget().remaining();
        return is_full ? flush() : Result<void>();
    }

    Result<void> flush() {
        KPID_CHECK_OK(evaluator_.check_stop());
        const WindowWalk walk(evaluator_, arguments_, function_, steps_);
        evaluator_.executor().parallel_for(used_, [&](std::size_t i) {
            if (evaluator_.check_stop()) {
                walk.fill(series_[i], rows_[i]);
            }
        });
        KPID_CHECK_OK(evaluator_.check_stop());
        for (std::size_t i = 0; i < used_; ++i) {
            KPID_CHECK_OK(hand_on(rows_[i]));
        }
        used_ = 0;
        samples_ = 0;
        held_ = Charge(evaluator_.budget());
        return {};
    }

private:
    Result<void> hand_on(Row& row) {
        if (row.values.empty()) {
            return {};
        }
        if (function_.of_counter) {
            note_name(row.labels.metric_name());
        }
        if (!function_.keeps_name) {
            evaluator_.drop_name(row);
        }
        return sink_(row);
    }

    void note_name(std::string_view name) {
        constexpr std::array<std::string_view, 4> kSuffixes = {"_total", "_sum", "_count",
                                                               "_bucket"};
        const bool is_counter =
            name.empty() || std::any_of(kSuffixes.begin(), kSuffixes.end(),
                                        [name](auto suffix) { return name.ends_with(suffix); });
        if (!is_counter && name != noted_) {
            noted_ = name;
            evaluator_.annotations().info(
                fmt::format("metric might not be a counter, name does not end in "
                            "_total/_sum/_count/_bucket: {}",
                            model::quote_label_value(name)),
                arguments_.range_place);
        }
    }

    Evaluator& evaluator_;
    const RangeArguments& arguments_;
    const RangeFunction& function_;
    const Steps& steps_;
    const RowSink& sink_;
    std::string noted_;
    std::vector<RangeSeries> series_;
    std::vector<Row> rows_;
    std::size_t used_ = 0;
    std::size_t limit_ = 1;
    std::size_t samples_ = 0;
    Charge held_;
};

// Returns how many series there were.
Result<std::size_t> stream_rows(Evaluator& evaluator, RangeArguments& arguments,
                                const RangeFunction& function, const Steps& steps,
                                const RowSink& sink) {
    RangeRows rows(evaluator, arguments, function, steps, sink);
    std::size_t count = 0;
    const auto add = [&rows, &count](RangeSeries& series) {
        ++count;
        return rows.add(series);
    };
    if (arguments.matrix != nullptr) {
        KPID_CHECK_OK(evaluator.visit_matrix(*arguments.matrix, arguments.frame, steps, add));
    } else {
        arguments.frame.charge = Charge(evaluator.budget());  // They are paid for again, in turn.
        for (RangeSeries& series : arguments.frame.series) {
            KPID_CHECK_OK(add(series));
        }
    }
    KPID_CHECK_OK(rows.flush());
    return count;
}

Result<Rows> apply(Evaluator& evaluator, RangeArguments& arguments, const RangeFunction& function,
                   const Steps& steps) {
    Rows rows = evaluator.new_rows();
    KPID_CHECK_OK(stream_rows(evaluator, arguments, function, steps,
                              [&rows](Row& row) { return rows.push(std::move(row)); }));
    Evaluator::sort_rows(rows.rows);
    KPID_CHECK_OK(merge_same_labels(rows.rows));
    return rows;
}

bool any_at(const Rows& rows, std::size_t step) {
    return std::any_of(rows.rows.begin(), rows.rows.end(),
                       [step](const Row& row) { return !is_absent(row.at(step)); });
}

Result<Evaluated> quantile_over_time(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    KPID_TRY(Rows rows, apply(evaluator, arguments, {window_quantile}, steps));
    const ScalarColumn& quantiles = arguments.scalars[0];
    for (std::size_t step = 0; step < steps.count; ++step) {
        if (!(quantiles[step] >= 0 && quantiles[step] <= 1) && any_at(rows, step)) {
            warn_of_quantile(evaluator, quantiles[step], arguments.scalar_places[0]);
        }
    }
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
    Rows rows = evaluator.new_rows();
    KPID_TRY(const std::size_t count,
             stream_rows(evaluator, arguments, {window_smoothing}, steps,
                         [&rows](Row& row) { return rows.push(std::move(row)); }));
    if (count > 0) {
        KPID_CHECK_OK(check_factors(arguments.scalars[0], "smoothing", "sf"));
        KPID_CHECK_OK(check_factors(arguments.scalars[1], "trend", "tf"));
    }
    Evaluator::sort_rows(rows.rows);
    KPID_CHECK_OK(merge_same_labels(rows.rows));
    return Evaluated(std::move(rows));
}

struct NamedFunction {
    std::string_view name;
    RangeFunction function;
};
// Those that give each row by itself.
constexpr std::array<NamedFunction, 24> kOverRange = {{
    {"avg_over_time", {.function = window_avg}},
    {"changes", {.function = window_changes}},
    {"count_over_time", {.function = window_count}},
    {"delta", {.function = window_delta}},
    {"deriv", {.function = window_deriv}},
    {"first_over_time", {.function = window_first, .keeps_name = true}},
    {"idelta", {.function = window_idelta}},
    {"increase", {.function = window_increase, .of_counter = true}},
    {"irate", {.function = window_irate}},
    {"last_over_time", {.function = window_last, .keeps_name = true}},
    {"mad_over_time", {.function = window_mad}},
    {"max_over_time", {.function = window_max}},
    {"min_over_time", {.function = window_min}},
    {"predict_linear", {.function = window_predict_linear}},
    {"present_over_time", {.function = window_present}},
    {"rate", {.function = window_rate, .of_counter = true}},
    {"resets", {.function = window_resets}},
    {"stddev_over_time", {.function = window_stddev}},
    {"stdvar_over_time", {.function = window_stdvar}},
    {"sum_over_time", {.function = window_sum}},
    {"ts_of_first_over_time", {.function = window_time_of_first}},
    {"ts_of_last_over_time", {.function = window_time_of_last}},
    {"ts_of_max_over_time", {.function = window_time_of_max}},
    {"ts_of_min_over_time", {.function = window_time_of_min}},
}};

template <std::size_t Place>
Result<Evaluated> over_range(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    KPID_TRY(Rows rows, apply(evaluator, arguments, kOverRange[Place].function, steps));
    return Evaluated(std::move(rows));
}

template <std::size_t... Places>
constexpr auto entries_of(std::index_sequence<Places...> /*places*/) {
    return std::array<FunctionEntry, sizeof...(Places) + 2>{
        {{kOverRange[Places].name, over_range<Places>}...,
         {"double_exponential_smoothing", double_exponential_smoothing},
         {"quantile_over_time", quantile_over_time}}};
}
constexpr auto kFunctions = entries_of(std::make_index_sequence<kOverRange.size()>());

const RangeFunction* find_streamed(const Call& call) {
    const auto found =
        std::find_if(kOverRange.begin(), kOverRange.end(),
                     [&call](const NamedFunction& one) { return one.name == call.function->name; });
    return found == kOverRange.end() ? nullptr : &found->function;
}

}  // namespace

bool can_stream_call(const Call& call) {
    return find_streamed(call) != nullptr &&
           std::any_of(call.arguments.begin(), call.arguments.end(), [](const ExprPtr& argument) {
               return strip_parens(*argument).kind == ExprKind::kMatrixSelector;
           });
}

Result<bool> stream_call(Evaluator& evaluator, const Call& call, const Steps& steps,
                         const RowSink& sink) {
    KPID_TRY(RangeArguments arguments, eval_arguments(evaluator, call, steps));
    boost::unordered_flat_set<std::uint64_t> hashes;
    bool is_unique = true;
    KPID_TRY(const std::size_t count,
             stream_rows(evaluator, arguments, *find_streamed(call), steps,
                         [&](Row& row) -> Result<void> {
                             is_unique = is_unique && hashes.insert(row.labels.hash()).second;
                             return is_unique ? sink(row) : Result<void>();
                         }));
    (void)count;
    return is_unique;
}

std::span<const FunctionEntry> range_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
