// The engine's face: checks the query's frame, runs it, shapes the answer.

#include "kpid/promql/engine.h"

#include "promql/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::promql {
namespace {

Vector to_vector(std::vector<Row>&& rows, Timestamp time) {
    Vector vector;
    vector.reserve(rows.size());
    for (Row& row : rows) {
        if (!is_absent(row.at(0))) {
            vector.push_back({std::move(row.labels), time, row.at(0)});
        }
    }
    return vector;
}

void sort_by_labels(Matrix& matrix) {
    std::sort(matrix.begin(), matrix.end(),
              [](const MatrixSeries& a, const MatrixSeries& b) { return a.labels < b.labels; });
}

Matrix to_matrix(std::vector<Row>&& rows, const Steps& steps) {
    Matrix matrix;
    matrix.reserve(rows.size());
    for (Row& row : rows) {
        MatrixSeries series{std::move(row.labels), {}};
        series.points.reserve(row.values.size());
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            if (!is_absent(row.values[i])) {
                series.points.push_back({steps.at(row.first + i), row.values[i]});
            }
        }
        row.values = {};
        if (!series.points.empty()) {
            matrix.push_back(std::move(series));
        }
    }
    sort_by_labels(matrix);
    return matrix;
}

// A range vector as the answer of an instant query.
Result<Matrix> window_of(Evaluator& evaluator, const Expr& expr, Timestamp time) {
    KPID_TRY(const RangeInput input, evaluator.eval_range(expr, Steps{time}));
    std::vector<Row> rows;  // The series as rows of indexes, to make their labels final.
    for (const RangeSeries& series : input.series) {
        Row row;
        row.labels = series.labels;
        row.drop_name = series.drop_name;
        row.values = {static_cast<double>(rows.size())};
        rows.push_back(std::move(row));
    }
    KPID_CHECK_OK(evaluator.remove_delayed_names(rows));
    Matrix matrix;
    for (const Row& row : rows) {
        const RangeSeries& series = input.series[static_cast<std::size_t>(row.values[0])];
        MatrixSeries answer{row.labels, {}};
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            answer.points.push_back({series.times[i], series.values[i]});
        }
        matrix.push_back(std::move(answer));
    }
    sort_by_labels(matrix);
    return matrix;
}

QueryResult finish(Evaluator& evaluator, Value value, std::string_view text) {
    return {std::move(value), evaluator.annotations().warnings(text),
            evaluator.annotations().infos(text)};
}

Matrix constant_series(const ScalarColumn& column, const Steps& steps) {
    MatrixSeries series;
    series.points.reserve(column.size());
    for (std::size_t i = 0; i < column.size(); ++i) {
        series.points.push_back({steps.at(i), column[i]});
    }
    Matrix matrix;
    matrix.push_back(std::move(series));
    return matrix;
}

Result<Steps> steps_of(Timestamp start, Timestamp end, Duration step, std::size_t points_max) {
    if (end < start) {
        return invalid_argument("end timestamp must not be before start time");
    }
    if (start == end) {
        return Steps{start};
    }
    if (step <= Duration(0)) {
        return invalid_argument(
            "zero or negative query resolution step widths are not accepted. Try a positive "
            "integer");
    }
    const auto span = static_cast<std::uint64_t>(end.ms()) - static_cast<std::uint64_t>(start.ms());
    const std::uint64_t gaps = span / static_cast<std::uint64_t>(step.count());
    if (gaps > points_max) {
        return invalid_argument(fmt::format(
            "exceeded maximum resolution of {} points per timeseries. Try decreasing the "
            "query resolution (?step=XX)",
            points_max));
    }
    return Steps{start, step, static_cast<std::size_t>(gaps) + 1};
}

void begin_statistics(const QueryContext& context, std::size_t steps) {
    if (context.statistics != nullptr) {
        context.statistics->samples_per_step.assign(steps, 0);
        context.statistics->read_per_step.assign(steps, 0);
    }
}

Result<QueryResult> instant_by(Evaluator& evaluator, const Expr& expr, Timestamp time,
                               std::string_view text) {
    if (expr.type == ValueType::kMatrix) {
        KPID_TRY(Matrix matrix, window_of(evaluator, expr, time));
        return finish(evaluator, std::move(matrix), text);
    }
    KPID_TRY(Evaluated value, evaluator.eval(expr, Steps{time}));
    if (const auto* column = std::get_if<ScalarColumn>(&value)) {
        return finish(evaluator, Scalar{time, column->front()}, text);
    }
    if (auto* string = std::get_if<std::string>(&value)) {
        return finish(evaluator, String{time, std::move(*string)}, text);
    }
    std::vector<Row>& rows = std::get<Rows>(value).rows;
    KPID_CHECK_OK(evaluator.remove_delayed_names(rows));
    return finish(evaluator, to_vector(std::move(rows), time), text);
}

}  // namespace

std::string_view value_type_name(const Value& value) {
    switch (value.index()) {
        case 0:
            return "scalar";
        case 1:
            return "string";
        case 2:
            return "vector";
        default:
            return "matrix";
    }
}

Engine::Engine(EngineOptions options, Executor& executor)
    : options_(std::move(options)), executor_(executor) {
}

Result<QueryResult> Engine::instant(const Expr& expr, Timestamp time, const model::Reader& reader,
                                    const QueryContext& context) const {
    begin_statistics(context, 1);
    Evaluator evaluator({options_, context, reader, executor_, {time, time, Duration(0)}}, expr);
    return instant_by(evaluator, expr, time, context.text);
}

Result<QueryResult> Engine::instant(Plan& plan, Timestamp time, const QueryContext& context) const {
    begin_statistics(context, 1);
    Evaluator evaluator(
        {options_, context, *plan.reader_, executor_, {time, time, Duration(0)}, plan.state_.get()},
        plan.expr());
    return instant_by(evaluator, plan.expr(), time, context.text);
}

Result<QueryResult> Engine::range(const Expr& expr, Timestamp start, Timestamp end, Duration step,
                                  const model::Reader& reader, const QueryContext& context) const {
    if (expr.type != ValueType::kVector && expr.type != ValueType::kScalar) {
        return invalid_argument(fmt::format(
            "invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
            documented_name(expr.type)));
    }
    KPID_TRY(const Steps steps, steps_of(start, end, step, options_.points_max));
    begin_statistics(context, steps.count);
    Evaluator evaluator({options_, context, reader, executor_, {start, end, step}}, expr);
    KPID_TRY(Evaluated value, evaluator.eval(expr, steps));
    if (const auto* column = std::get_if<ScalarColumn>(&value)) {
        return finish(evaluator, constant_series(*column, steps), context.text);
    }
    std::vector<Row>& rows = std::get<Rows>(value).rows;
    KPID_CHECK_OK(evaluator.remove_delayed_names(rows));
    return finish(evaluator, to_matrix(std::move(rows), steps), context.text);
}

}  // namespace kpid::promql
