// Functions of each value on its own.

#include "promql/function_table.h"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace kpid::promql {
namespace {

template <double (*Function)(double)>
Result<Evaluated> map_one(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    change_values(rows, [](double value, std::size_t) { return Function(value); });
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

double sign(double v) {
    return v > 0 ? 1.0 : (v < 0 ? -1.0 : v);
}
double to_degrees(double v) {
    return v * 180 / std::numbers::pi;
}
double to_radians(double v) {
    return v * std::numbers::pi / 180;
}

// NaN when either is, unlike std::fmin and std::fmax; but nothing beats an infinity.
double smaller(double a, double b) {
    constexpr double kLowest = -std::numeric_limits<double>::infinity();
    if (a == kLowest || b == kLowest) {
        return kLowest;
    }
    return std::isnan(a) || std::isnan(b) ? std::nan("") : std::fmin(a, b);
}
double larger(double a, double b) {
    constexpr double kHighest = std::numeric_limits<double>::infinity();
    if (a == kHighest || b == kHighest) {
        return kHighest;
    }
    return std::isnan(a) || std::isnan(b) ? std::nan("") : std::fmax(a, b);
}

Result<Evaluated> clamp(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    KPID_TRY(const ScalarColumn low, evaluator.eval_scalar(*call.arguments[1], steps));
    KPID_TRY(const ScalarColumn high, evaluator.eval_scalar(*call.arguments[2], steps));
    change_values(rows, [&](double value, std::size_t step) {
        return high[step] < low[step] ? absent() : larger(low[step], smaller(high[step], value));
    });
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

template <double (*Function)(double, double)>
Result<Evaluated> clamp_side(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    KPID_TRY(const ScalarColumn bound, evaluator.eval_scalar(*call.arguments[1], steps));
    change_values(rows,
                  [&](double value, std::size_t step) { return Function(bound[step], value); });
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

Result<Evaluated> round(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    ScalarColumn to_nearest(steps.count, 1.0);
    if (call.arguments.size() > 1) {
        KPID_TRY(to_nearest, evaluator.eval_scalar(*call.arguments[1], steps));
    }
    change_values(rows, [&](double value, std::size_t step) {
        const double inverse = 1.0 / to_nearest[step];  // Exacter than dividing twice.
        return std::floor(value * inverse + 0.5) / inverse;
    });
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

Result<Evaluated> pi(Evaluator&, const Call&, const Steps& steps) {
    return Evaluated(ScalarColumn(steps.count, std::numbers::pi));
}

template <double (*Function)(double, double)>
Result<Evaluated> of_two_scalars(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(ScalarColumn left, evaluator.eval_scalar(*call.arguments[0], steps));
    KPID_TRY(const ScalarColumn right, evaluator.eval_scalar(*call.arguments[1], steps));
    for (std::size_t i = 0; i < left.size(); ++i) {
        left[i] = Function(left[i], right[i]);
    }
    return Evaluated(std::move(left));
}

constexpr std::array<FunctionEntry, 30> kFunctions = {{
    {"abs", map_one<std::abs>},
    {"acos", map_one<std::acos>},
    {"acosh", map_one<std::acosh>},
    {"asin", map_one<std::asin>},
    {"asinh", map_one<std::asinh>},
    {"atan", map_one<std::atan>},
    {"atanh", map_one<std::atanh>},
    {"ceil", map_one<std::ceil>},
    {"clamp", clamp},
    {"clamp_max", clamp_side<smaller>},
    {"clamp_min", clamp_side<larger>},
    {"cos", map_one<std::cos>},
    {"cosh", map_one<std::cosh>},
    {"deg", map_one<to_degrees>},
    {"exp", map_one<std::exp>},
    {"floor", map_one<std::floor>},
    {"ln", map_one<std::log>},
    {"log10", map_one<std::log10>},
    {"log2", map_one<std::log2>},
    {"max_of", of_two_scalars<larger>},
    {"min_of", of_two_scalars<smaller>},
    {"pi", pi},
    {"rad", map_one<to_radians>},
    {"round", round},
    {"sgn", map_one<sign>},
    {"sin", map_one<std::sin>},
    {"sinh", map_one<std::sinh>},
    {"sqrt", map_one<std::sqrt>},
    {"tan", map_one<std::tan>},
    {"tanh", map_one<std::tanh>},
}};

}  // namespace

std::span<const FunctionEntry> math_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
