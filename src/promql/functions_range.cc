// Functions of range vectors: the windows of each series move along with two cursors.

#include "promql/function_table.h"
#include "promql/parameters.h"
#include "promql/window_walk.h"

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
constexpr std::size_t kBlockSamples = 131'072;
// A block with fewer samples and values than this is done before another thread has woken.
constexpr std::size_t kParallelSamples = 16'384;

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

// Whether all its series have the same name.
bool names_one_metric(const MatrixSelector& matrix) {
    const std::vector<model::Matcher>& matchers = matrix.selector->matchers;
    return std::any_of(matchers.begin(), matchers.end(), [](const model::Matcher& matcher) {
        return matcher.name() == model::kMetricName && matcher.type() == model::MatchType::kEqual &&
               !matcher.value().empty();
    });
}

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
          has_one_name_(arguments.matrix != nullptr && names_one_metric(*arguments.matrix)),
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

    // Works on it at once.
    Result<void> add_view(const RangeView& series) {
        if (rows_.empty()) {
            rows_.emplace_back();
        }
        WindowWalk(evaluator_, arguments_, function_, steps_).fill(series, rows_.front());
        return hand_on(rows_.front());
    }

    Result<void> flush() {
        KPID_CHECK_OK(evaluator_.check_stop());
        const WindowWalk walk(evaluator_, arguments_, function_, steps_);
        const auto fill = [&](std::size_t i) {
            if (evaluator_.check_stop()) {
                walk.fill(series_[i].view(), rows_[i]);
            }
        };
        if (samples_ + used_ * steps_.count >= kParallelSamples) {
            evaluator_.executor().parallel_for(used_, fill);
        } else {
            for (std::size_t i = 0; i < used_; ++i) {
                fill(i);
            }
        }
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
        if (function_.of_counter && !(has_one_name_ && is_noted_)) {
            note_name(row.labels.metric_name());
            is_noted_ = true;
        }
        row.name_goes = !function_.keeps_name;
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
    const bool has_one_name_;
    bool is_noted_ = false;
    std::string noted_;
    std::vector<RangeSeries> series_;
    std::vector<Row> rows_;
    std::size_t used_ = 0;
    std::size_t limit_ = 1;
    std::size_t samples_ = 0;
    Charge held_;
};

// Whether rows are still told apart by their labels when their names have gone.
class UniquenessCheck {
public:
    UniquenessCheck(const RangeArguments& arguments, KeptUniqueness& kept)
        : has_one_name_(names_one_metric(*arguments.matrix)), kept_(kept) {}

    // False once two rows were alike; then it is no use to go on.
    bool add(const Row& row) {
        if (row.place.is_known()) {
            if (kept_.is_seen.start(row.place.generation)) {
                kept_.hashes.clear();
                kept_.is_unique = true;
            }
            if (kept_.is_seen.at(row.place.number) != PlaceNumbers::kUnknown) {
                return kept_.is_unique;
            }
            kept_.is_seen.set(row.place.number, 1);
        }
        if (has_one_name_) {
            // Beside series that lose their name alone others may lose what told them apart.
            kept_.is_unique = kept_.is_unique && is_name_alone(row.labels);
        } else {
            kept_.is_unique = kept_.is_unique && kept_.hashes.insert(hash_of_rest(row)).second;
        }
        return kept_.is_unique;
    }
    [[nodiscard]] bool is_unique() const { return kept_.is_unique; }

private:
    // Whether nothing but the metric's name goes with it.
    static bool is_name_alone(const model::Labels& labels) {
        return std::none_of(labels.begin(), labels.end(), [](const model::Label& label) {
            return is_metadata_label(label.name) && label.name != model::kMetricName;
        });
    }
    static std::uint64_t hash_of_rest(const Row& row) {
        return without_metadata(row.labels).hash();
    }

    const bool has_one_name_;
    KeptUniqueness& kept_;
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
    if (arguments.matrix != nullptr && evaluator.is_kept(*arguments.matrix->selector)) {
        KPID_CHECK_OK(evaluator.visit_kept_matrix(*arguments.matrix, arguments.frame, steps,
                                                  [&](const RangeView& series) {
                                                      ++count;
                                                      return rows.add_view(series);
                                                  }));
    } else if (arguments.matrix != nullptr) {
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
    KPID_CHECK_OK(stream_rows(evaluator, arguments, function, steps, [&](Row& row) {
        evaluator.let_name_go(row);
        return rows.push(std::move(row));
    }));
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
             stream_rows(evaluator, arguments, {window_smoothing}, steps, [&](Row& row) {
                 evaluator.let_name_go(row);
                 return rows.push(std::move(row));
             }));
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
    KeptUniqueness own;
    KeptUniqueness* kept = nullptr;
    if (arguments.matrix != nullptr && evaluator.is_kept(*arguments.matrix->selector)) {
        kept = evaluator.kept_uniqueness(call);
    }
    const RangeFunction& function = *find_streamed(call);
    UniquenessCheck check(arguments, kept != nullptr ? *kept : own);
    const auto take = [&](Row& row) -> Result<void> {
        const bool may_go_on = function.keeps_name || check.add(row);
        return may_go_on ? sink(row) : Result<void>();
    };
    KPID_TRY(const std::size_t count, stream_rows(evaluator, arguments, function, steps, take));
    (void)count;
    return check.is_unique();
}

std::span<const FunctionEntry> range_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
