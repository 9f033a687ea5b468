// Functions of time: the step's, the samples', and parts of the date in UTC.

#include "promql/function_table.h"

#include <array>
#include <chrono>
#include <cmath>

namespace kpid::promql {
namespace {

// A value of seconds since the epoch, as a day and the seconds of it.
struct Moment {
    std::chrono::sys_days day;
    std::int64_t second_of_day = 0;

    [[nodiscard]] std::chrono::year_month_day date() const { return {day}; }
};

using Part = double (*)(const Moment&);

double minute(const Moment& m) {
    return static_cast<double>(m.second_of_day / 60 % 60);
}
double hour(const Moment& m) {
    const auto whole = m.second_of_day / 3600;
    return static_cast<double>(whole);
}
double day_of_week(const Moment& m) {
    return static_cast<double>(std::chrono::weekday(m.day).c_encoding());
}
double day_of_month(const Moment& m) {
    return static_cast<unsigned>(m.date().day());
}
double day_of_year(const Moment& m) {
    const std::chrono::sys_days first(m.date().year() / std::chrono::January / 1);
    return static_cast<double>((m.day - first).count() + 1);
}
double days_in_month(const Moment& m) {
    const std::chrono::year_month_day date = m.date();
    return static_cast<unsigned>((date.year() / date.month() / std::chrono::last).day());
}
double month(const Moment& m) {
    return static_cast<unsigned>(m.date().month());
}
double year(const Moment& m) {
    return static_cast<int>(m.date().year());
}

// NaN beyond what a calendar date can say (32,000 years around the epoch).
double part_of(double seconds, Part part) {
    constexpr double kSecondsMax = 9.0e11;
    if (!(std::abs(seconds) <= kSecondsMax)) {
        return std::nan("");
    }
    const auto whole =
        std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
    const auto day = std::chrono::floor<std::chrono::days>(whole);
    return part({day, (whole - day).count()});
}

template <Part Function>
Result<Evaluated> date_part(Evaluator& evaluator, const Call& call, const Steps& steps) {
    if (call.arguments.empty()) {
        Row row;
        for (std::size_t i = 0; i < steps.count; ++i) {
            row.values.push_back(part_of(steps.at(i).seconds(), Function));
        }
        Rows rows = evaluator.new_rows();
        KPID_CHECK_OK(rows.push(std::move(row)));
        return Evaluated(std::move(rows));
    }
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    change_values(rows, [](double value, std::size_t) { return part_of(value, Function); });
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

Result<Evaluated> time(Evaluator&, const Call&, const Steps& steps) {
    ScalarColumn column(steps.count);
    for (std::size_t i = 0; i < steps.count; ++i) {
        column[i] = steps.at(i).seconds();
    }
    return Evaluated(std::move(column));
}

// A selector's samples keep their own time; everything else happens at the step.
Result<Evaluated> timestamp(Evaluator& evaluator, const Call& call, const Steps& steps) {
    const Expr& argument = strip_parens(*call.arguments[0]);
    if (const auto* selector = get_if<VectorSelector>(argument)) {
        KPID_TRY(Rows rows, evaluator.eval_selector(*selector, steps, true));
        KPID_CHECK_OK(evaluator.drop_names(rows));
        return Evaluated(std::move(rows));
    }
    KPID_TRY(Rows rows, evaluator.eval_vector(argument, steps));
    change_values(rows, [&](double, std::size_t step) { return steps.at(step).seconds(); });
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

double seconds(Duration d) {
    return static_cast<double>(d.count()) / 1000.0;
}

double query_start(const QueryBounds& bounds) {
    return bounds.start.seconds();
}
double query_end(const QueryBounds& bounds) {
    return bounds.end.seconds();
}
double query_step(const QueryBounds& bounds) {
    return bounds.start == bounds.end ? 0 : seconds(bounds.step);
}
double query_range(const QueryBounds& bounds) {
    return seconds(bounds.end - bounds.start);
}

template <double (*Function)(const QueryBounds&)>
Result<Evaluated> of_query(Evaluator& evaluator, const Call&, const Steps& steps) {
    return Evaluated(ScalarColumn(steps.count, Function(evaluator.bounds())));
}

constexpr std::array<FunctionEntry, 14> kFunctions = {{
    {"day_of_month", date_part<day_of_month>},
    {"day_of_week", date_part<day_of_week>},
    {"day_of_year", date_part<day_of_year>},
    {"days_in_month", date_part<days_in_month>},
    {"end", of_query<query_end>},
    {"hour", date_part<hour>},
    {"minute", date_part<minute>},
    {"month", date_part<month>},
    {"range", of_query<query_range>},
    {"start", of_query<query_start>},
    {"step", of_query<query_step>},
    {"time", time},
    {"timestamp", timestamp},
    {"year", date_part<year>},
}};

}  // namespace

std::span<const FunctionEntry> time_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
