// Selectors, ranges and subqueries: fetched once for all steps, then a cursor moves along.

#include "promql/duration_expr.h"
#include "promql/evaluator.h"

#include <algorithm>
#include <limits>

namespace kpid::promql {
namespace {

// Milliseconds of the first multiple of `step` after `t`.
Timestamp first_multiple_after(Timestamp t, Duration step) {
    std::int64_t multiple = step.count() * (t.ms() / step.count());
    if (multiple <= t.ms()) {
        multiple = saturating_add(Timestamp(multiple), step).ms();
    }
    return Timestamp(multiple);
}

// Nothing is older. A reader that goes further back from here stays in what a Timestamp can hold.
constexpr Timestamp kEarliest{std::numeric_limits<std::int64_t>::min() / 2};

// The values of an instant selector: at each step the newest sample that is young enough.
struct InstantWalk {
    const Steps& steps;
    Duration offset;
    std::optional<Timestamp> at;
    bool sample_times;

    void fill(const model::SeriesView& series, Duration lookback, Row& row) const {
        row.values.clear();
        row.drop_name = false;
        std::size_t behind = 0;  // The first sample after the step's time.
        if (steps.count == 1) {
            // Most of what was read lies before it.
            const Timestamp time = saturating_sub(at ? *at : steps.start, offset);
            behind = static_cast<std::size_t>(
                std::upper_bound(series.times.begin(), series.times.end(), time) -
                series.times.begin());
        }
        for (std::size_t i = 0; i < steps.count; ++i) {
            const Timestamp time = saturating_sub(at ? *at : steps.at(i), offset);
            while (behind < series.times.size() && series.times[behind] <= time) {
                ++behind;
            }
            if (behind == 0 || series.times[behind - 1] <= saturating_sub(time, lookback) ||
                model::is_stale_marker(series.values[behind - 1])) {
                continue;
            }
            row.append(
                i, sample_times ? series.times[behind - 1].seconds() : series.values[behind - 1]);
        }
        row.labels = series.labels;
    }
};

bool has_stale(std::span<const double> values) {
    return std::any_of(values.begin(), values.end(), model::is_stale_marker);
}

void drop_stale(RangeSeries& series) {
    const auto marker =
        std::find_if(series.values.begin(), series.values.end(), model::is_stale_marker);
    auto kept = static_cast<std::size_t>(marker - series.values.begin());
    for (std::size_t i = kept; i < series.values.size(); ++i) {
        if (!model::is_stale_marker(series.values[i])) {
            series.times[kept] = series.times[i];
            series.values[kept] = series.values[i];
            ++kept;
        }
    }
    series.times.resize(kept);
    series.values.resize(kept);
}

RangeSeries points_of(Row&& row, const Steps& steps) {
    RangeSeries series{std::move(row.labels), row.drop_name, {}, {}};
    series.times.reserve(row.values.size());
    series.values.reserve(row.values.size());
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        if (!is_absent(row.values[i])) {
            series.times.push_back(steps.at(row.first + i));
            series.values.push_back(row.values[i]);
        }
    }
    return series;
}

Error must_be_positive() {
    return Error{Code::kUnprocessable, "duration must be greater than 0"};
}

}  // namespace

void Evaluator::count_samples(const Steps& steps, std::size_t step, std::size_t samples,
                              std::size_t read) {
    QueryStatistics& counts = *statistics_;
    const std::size_t query_steps = counts.samples_per_step.size();
    const bool is_own_step = steps.count == query_steps;
    // What is evaluated once for all steps counts for each of them.
    const std::size_t first = is_own_step ? step : 0;
    const std::size_t end = is_own_step ? step + 1 : query_steps;
    for (std::size_t i = first; i < end; ++i) {
        counts.samples_per_step[i] += samples;
        counts.read_per_step[i] += read;
    }
}

void Evaluator::count_row(const Row& row, const Steps& steps) {
    if (statistics_ == nullptr) {
        return;
    }
    for (std::size_t i = 0; i < row.values.size(); ++i) {
        if (!is_absent(row.values[i])) {
            count_samples(steps, row.first + i, 1, 1);
        }
    }
}

void Evaluator::count_windows(const RangeView& series, const RangeInput& frame,
                              const Steps& steps) {
    if (statistics_ == nullptr) {
        return;
    }
    auto first = series.times.begin();
    auto last = first;
    for (std::size_t i = 0; i < steps.count; ++i) {
        const Timestamp end = frame.window_end(steps.at(i));
        first = std::upper_bound(first, series.times.end(), saturating_sub(end, frame.range));
        const auto seen = std::max(first, last);
        last = std::upper_bound(seen, series.times.end(), end);
        count_samples(steps, i, static_cast<std::size_t>(last - first),
                      static_cast<std::size_t>(last - seen));
    }
}

Result<Duration> Evaluator::resolve(Duration written, const DurationExprPtr& computed,
                                    bool may_be_negative) const {
    if (computed == nullptr) {
        return written;
    }
    return evaluate_duration(*computed,
                             {.step = bounds().step, .range = bounds().end - bounds().start},
                             may_be_negative);
}

std::optional<Timestamp> Evaluator::resolve_at(const TimeModifiers& modifiers) const {
    if (!modifiers.at) {
        return std::nullopt;
    }
    switch (modifiers.at->kind) {
        case AtModifier::Kind::kStart:
            return bounds().start;
        case AtModifier::Kind::kEnd:
            return bounds().end;
        case AtModifier::Kind::kTimestamp:
            break;
    }
    return modifiers.at->time;
}

namespace {

Result<void> check_supported(const VectorSelector& selector) {
    if (selector.anchored || selector.smoothed) {
        return unsupported(selector.anchored ? "the modifier \"anchored\" is not supported yet"
                                             : "the modifier \"smoothed\" is not supported yet");
    }
    return {};
}

Result<void> in_words_of_queries(Result<void> visited) {
    if (!visited && visited.error().code == Code::kResourceExhausted) {
        return too_many_samples();
    }
    return visited;
}

}  // namespace

model::KeptSelection* Evaluator::kept_of(const VectorSelector& selector) const {
    if (environment_.plan == nullptr) {
        return nullptr;
    }
    const auto found = environment_.plan->kept.find(&selector);
    return found == environment_.plan->kept.end() ? nullptr : found->second.get();
}

model::ReadOptions Evaluator::read_options(const model::HistoryRules* history) const {
    return {.samples_max = budget_.remaining(),
            .known_at = environment_.context.known_at,
            .history = history};
}

Result<void> Evaluator::visit(const VectorSelector& selector, model::TimeRange range,
                              const model::HistoryRules* history,
                              const model::SeriesVisitor& take) {
    KPID_CHECK_OK(check_stop());
    KPID_CHECK_OK(check_supported(selector));
    return in_words_of_queries(
        environment_.reader.visit(selector.matchers, range, read_options(history),
                                  [this, &take](model::SeriesColumns& series) -> Result<void> {
                                      KPID_CHECK_OK(check_stop());
                                      return take(series);
                                  }));
}

Result<void> Evaluator::visit_kept(const VectorSelector& selector, model::TimeRange range,
                                   const model::HistoryRules* history,
                                   const model::SeriesViewVisitor& take) {
    KPID_CHECK_OK(check_stop());
    KPID_CHECK_OK(check_supported(selector));
    return in_words_of_queries(kept_of(selector)->visit(range, read_options(history), take));
}

// A query's own lookback is what it wants to see at least.
Lookbacks Evaluator::lookbacks() const {
    const std::optional<Duration>& own = environment_.context.lookback;
    return own ? Lookbacks(*own, environment_.options.valid_for.get(), true)
               : environment_.options.lookbacks();
}

Result<void> Evaluator::stream_selector(const VectorSelector& selector, const Steps& steps,
                                        bool sample_times, const RowSink& sink) {
    KPID_TRY(const Duration offset,
             resolve(selector.modifiers.offset, selector.modifiers.offset_expr, true));
    const Lookbacks lookbacks = this->lookbacks();
    const InstantWalk walk{steps, offset, resolve_at(selector.modifiers), sample_times};
    const Timestamp first = saturating_sub(walk.at ? *walk.at : steps.start, offset);
    const Timestamp last = saturating_sub(walk.at ? *walk.at : steps.last(), offset);
    const Timestamp from = std::max(
        saturating_add(saturating_sub(first, lookbacks.base()), std::chrono::milliseconds(1)),
        kEarliest);
    Row row;
    const auto take = [&](const model::SeriesView& series) -> Result<void> {
        KPID_CHECK_OK(check_stop());
        Charge held(budget_);
        KPID_CHECK_OK(held.add(series.times.size()));
        walk.fill(series, lookbacks.of(series.labels), row);
        count_row(row, steps);
        return row.values.empty() ? Result<void>() : sink(row);
    };
    if (const model::KeptSelection* kept = kept_of(selector)) {
        return visit_kept(selector, {from, last}, lookbacks.history(),
                          [&](const model::SeriesView& series) {
                              row.place = {kept->generation(), series.place};
                              return take(series);
                          });
    }
    return visit(selector, {from, last}, lookbacks.history(), [&](model::SeriesColumns& series) {
        return take({series.labels, series.times, series.values});
    });
}

Result<Rows> Evaluator::eval_selector(const VectorSelector& selector, const Steps& steps,
                                      bool sample_times) {
    Rows rows = new_rows();
    KPID_CHECK_OK(stream_selector(selector, steps, sample_times,
                                  [&rows](Row& row) { return rows.push(std::move(row)); }));
    sort_rows(rows.rows);
    return rows;
}

Result<RangeInput> Evaluator::eval_range(const Expr& expr, const Steps& steps) {
    const Expr& node = strip_parens(expr);
    if (const auto* matrix = get_if<MatrixSelector>(node)) {
        return eval_matrix(*matrix, steps);
    }
    if (const auto* subquery = get_if<SubqueryExpr>(node)) {
        return eval_subquery(*subquery, steps);
    }
    return invalid_argument("expected a range vector");
}

Result<RangeInput> Evaluator::frame_of(const MatrixSelector& matrix) {
    const TimeModifiers& modifiers = matrix.selector->modifiers;
    RangeInput frame{{}, Charge(budget_)};
    KPID_TRY(frame.range, resolve(matrix.range, matrix.range_expr, false));
    KPID_TRY(frame.offset, resolve(modifiers.offset, modifiers.offset_expr, true));
    if (frame.range <= Duration(0)) {
        return must_be_positive();
    }
    frame.at = resolve_at(modifiers);
    return frame;
}

Result<void> Evaluator::visit_matrix(const MatrixSelector& matrix, const RangeInput& frame,
                                     const Steps& steps, const SeriesSink& sink) {
    const Timestamp from =
        saturating_add(saturating_sub(frame.window_end(steps.start), frame.range), Duration(1));
    RangeSeries series;
    return visit(*matrix.selector, {from, frame.window_end(steps.last())}, nullptr,
                 [&](model::SeriesColumns& columns) -> Result<void> {
                     series.labels = columns.labels;
                     std::swap(series.times, columns.times);
                     std::swap(series.values, columns.values);
                     drop_stale(series);
                     count_windows(series.view(), frame, steps);
                     return series.times.empty() ? Result<void>() : sink(series);
                 });
}

Result<void> Evaluator::visit_kept_matrix(const MatrixSelector& matrix, const RangeInput& frame,
                                          const Steps& steps, const ViewSink& sink) {
    const Timestamp from =
        saturating_add(saturating_sub(frame.window_end(steps.start), frame.range), Duration(1));
    RangeSeries sifted;
    const model::KeptSelection& kept = *kept_of(*matrix.selector);
    return visit_kept(*matrix.selector, {from, frame.window_end(steps.last())}, nullptr,
                      [&](const model::SeriesView& series) -> Result<void> {
                          KPID_CHECK_OK(check_stop());
                          const SeriesPlace place{kept.generation(), series.place};
                          RangeView view{series.labels, series.times, series.values, false, place};
                          if (has_stale(series.values)) {
                              sifted.times.assign(series.times.begin(), series.times.end());
                              sifted.values.assign(series.values.begin(), series.values.end());
                              drop_stale(sifted);
                              view.times = sifted.times;
                              view.values = sifted.values;
                          }
                          count_windows(view, frame, steps);
                          return view.times.empty() ? Result<void>() : sink(view);
                      });
}

Result<RangeInput> Evaluator::eval_matrix(const MatrixSelector& matrix, const Steps& steps) {
    KPID_TRY(RangeInput input, frame_of(matrix));
    const auto keep = [&input](RangeSeries& series) -> Result<void> {
        KPID_CHECK_OK(input.charge.add(series.times.size()));
        input.series.push_back(std::move(series));
        return {};
    };
    KPID_CHECK_OK(visit_matrix(matrix, input, steps, keep));
    std::sort(input.series.begin(), input.series.end(),
              [](const RangeSeries& a, const RangeSeries& b) { return a.labels < b.labels; });
    return input;
}

Result<RangeInput> Evaluator::eval_subquery(const SubqueryExpr& subquery, const Steps& steps) {
    RangeInput input{{}, Charge(budget_)};
    KPID_TRY(input.range, resolve(subquery.range, subquery.range_expr, false));
    KPID_TRY(input.offset,
             resolve(subquery.modifiers.offset, subquery.modifiers.offset_expr, true));
    KPID_TRY(Duration step, resolve(subquery.step, subquery.step_expr, false));
    if (subquery.step_expr == nullptr && step == Duration(0)) {
        step = environment_.options.default_subquery_step;
    }
    if (input.range <= Duration(0) || step <= Duration(0)) {
        return must_be_positive();
    }
    input.at = resolve_at(subquery.modifiers);
    const Timestamp from = saturating_sub(input.window_end(steps.start), input.range);
    const Timestamp last = input.window_end(steps.last());
    Steps inner{first_multiple_after(from, step), step};
    if (inner.start > last) {
        return input;
    }
    const auto span =
        static_cast<std::uint64_t>(last.ms()) - static_cast<std::uint64_t>(inner.start.ms());
    inner.count = static_cast<std::size_t>(span / static_cast<std::uint64_t>(step.count())) + 1;
    if (inner.count > budget_.remaining()) {
        return too_many_samples();
    }
    // Its samples count where windows of it are looked at, but for a subquery that is the query.
    QueryStatistics* const statistics = statistics_;
    if (&subquery != root_) {
        statistics_ = nullptr;
    }
    Result<Rows> evaluated = eval_vector(*subquery.expr, inner);
    statistics_ = statistics;
    KPID_TRY(Rows rows, std::move(evaluated));
    input.series.reserve(rows.rows.size());
    for (Row& row : rows.rows) {
        KPID_CHECK_OK(check_stop());
        RangeSeries points = points_of(std::move(row), inner);
        KPID_CHECK_OK(input.charge.add(points.times.size()));
        if (&subquery != root_) {
            count_windows(points.view(), input, steps);
        }
        if (!points.times.empty()) {
            input.series.push_back(std::move(points));
        }
    }
    return input;
}

}  // namespace kpid::promql
