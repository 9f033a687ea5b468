// The table of functions, sorted by name.

#include "kpid/promql/functions.h"

#include <algorithm>
#include <array>

namespace kpid::promql {
namespace {

constexpr std::array<ValueType, 0> kNothing{};
constexpr std::array<ValueType, 1> kMatrix{ValueType::kMatrix};
constexpr std::array<ValueType, 1> kScalar{ValueType::kScalar};
constexpr std::array<ValueType, 1> kVector{ValueType::kVector};
constexpr std::array<ValueType, 2> kMatrixScalar{ValueType::kMatrix, ValueType::kScalar};
constexpr std::array<ValueType, 2> kScalarMatrix{ValueType::kScalar, ValueType::kMatrix};
constexpr std::array<ValueType, 2> kScalarScalar{ValueType::kScalar, ValueType::kScalar};
constexpr std::array<ValueType, 2> kScalarVector{ValueType::kScalar, ValueType::kVector};
constexpr std::array<ValueType, 2> kVectorScalar{ValueType::kVector, ValueType::kScalar};
constexpr std::array<ValueType, 2> kVectorString{ValueType::kVector, ValueType::kString};
constexpr std::array<ValueType, 2> kVectorVector{ValueType::kVector, ValueType::kVector};
constexpr std::array<ValueType, 3> kMatrixScalarScalar{ValueType::kMatrix, ValueType::kScalar,
                                                       ValueType::kScalar};
constexpr std::array<ValueType, 3> kScalarScalarVector{ValueType::kScalar, ValueType::kScalar,
                                                       ValueType::kVector};
constexpr std::array<ValueType, 3> kVectorScalarScalar{ValueType::kVector, ValueType::kScalar,
                                                       ValueType::kScalar};
constexpr std::array<ValueType, 4> kVectorStringScalarScalar{
    ValueType::kVector, ValueType::kString, ValueType::kScalar, ValueType::kScalar};
constexpr std::array<ValueType, 4> kVectorStringStringString{
    ValueType::kVector, ValueType::kString, ValueType::kString, ValueType::kString};
constexpr std::array<ValueType, 5> kVectorStringStringStringString{
    ValueType::kVector, ValueType::kString, ValueType::kString, ValueType::kString,
    ValueType::kString};

// Name, arguments, variadic, what it gives back, experimental.
constexpr FunctionSignature kFunctions[] = {
    {"abs", kVector, 0, ValueType::kVector, false},
    {"absent", kVector, 0, ValueType::kVector, false},
    {"absent_over_time", kMatrix, 0, ValueType::kVector, false},
    {"acos", kVector, 0, ValueType::kVector, false},
    {"acosh", kVector, 0, ValueType::kVector, false},
    {"asin", kVector, 0, ValueType::kVector, false},
    {"asinh", kVector, 0, ValueType::kVector, false},
    {"atan", kVector, 0, ValueType::kVector, false},
    {"atanh", kVector, 0, ValueType::kVector, false},
    {"avg_over_time", kMatrix, 0, ValueType::kVector, false},
    {"ceil", kVector, 0, ValueType::kVector, false},
    {"changes", kMatrix, 0, ValueType::kVector, false},
    {"clamp", kVectorScalarScalar, 0, ValueType::kVector, false},
    {"clamp_max", kVectorScalar, 0, ValueType::kVector, false},
    {"clamp_min", kVectorScalar, 0, ValueType::kVector, false},
    {"cos", kVector, 0, ValueType::kVector, false},
    {"cosh", kVector, 0, ValueType::kVector, false},
    {"count_over_time", kMatrix, 0, ValueType::kVector, false},
    {"day_of_month", kVector, 1, ValueType::kVector, false},
    {"day_of_week", kVector, 1, ValueType::kVector, false},
    {"day_of_year", kVector, 1, ValueType::kVector, false},
    {"days_in_month", kVector, 1, ValueType::kVector, false},
    {"deg", kVector, 0, ValueType::kVector, false},
    {"delta", kMatrix, 0, ValueType::kVector, false},
    {"deriv", kMatrix, 0, ValueType::kVector, false},
    {"double_exponential_smoothing", kMatrixScalarScalar, 0, ValueType::kVector, true},
    {"end", kNothing, 0, ValueType::kScalar, true},
    {"exp", kVector, 0, ValueType::kVector, false},
    {"first_over_time", kMatrix, 0, ValueType::kVector, false},
    {"floor", kVector, 0, ValueType::kVector, false},
    {"histogram_avg", kVector, 0, ValueType::kVector, false},
    {"histogram_count", kVector, 0, ValueType::kVector, false},
    {"histogram_fraction", kScalarScalarVector, 0, ValueType::kVector, false},
    {"histogram_quantile", kScalarVector, 0, ValueType::kVector, false},
    {"histogram_quantiles", kVectorStringScalarScalar, 9, ValueType::kVector, true},
    {"histogram_stddev", kVector, 0, ValueType::kVector, false},
    {"histogram_stdvar", kVector, 0, ValueType::kVector, false},
    {"histogram_sum", kVector, 0, ValueType::kVector, false},
    {"hour", kVector, 1, ValueType::kVector, false},
    {"idelta", kMatrix, 0, ValueType::kVector, false},
    {"increase", kMatrix, 0, ValueType::kVector, false},
    {"info", kVectorVector, 1, ValueType::kVector, true},
    {"irate", kMatrix, 0, ValueType::kVector, false},
    {"label_join", kVectorStringStringString, -1, ValueType::kVector, false},
    {"label_replace", kVectorStringStringStringString, 0, ValueType::kVector, false},
    {"last_over_time", kMatrix, 0, ValueType::kVector, false},
    {"ln", kVector, 0, ValueType::kVector, false},
    {"log10", kVector, 0, ValueType::kVector, false},
    {"log2", kVector, 0, ValueType::kVector, false},
    {"mad_over_time", kMatrix, 0, ValueType::kVector, true},
    {"max_of", kScalarScalar, 0, ValueType::kScalar, true},
    {"max_over_time", kMatrix, 0, ValueType::kVector, false},
    {"min_of", kScalarScalar, 0, ValueType::kScalar, true},
    {"min_over_time", kMatrix, 0, ValueType::kVector, false},
    {"minute", kVector, 1, ValueType::kVector, false},
    {"month", kVector, 1, ValueType::kVector, false},
    {"pi", kNothing, 0, ValueType::kScalar, false},
    {"predict_linear", kMatrixScalar, 0, ValueType::kVector, false},
    {"present_over_time", kMatrix, 0, ValueType::kVector, false},
    {"quantile_over_time", kScalarMatrix, 0, ValueType::kVector, false},
    {"rad", kVector, 0, ValueType::kVector, false},
    {"range", kNothing, 0, ValueType::kScalar, true},
    {"rate", kMatrix, 0, ValueType::kVector, false},
    {"resets", kMatrix, 0, ValueType::kVector, false},
    {"round", kVectorScalar, 1, ValueType::kVector, false},
    {"scalar", kVector, 0, ValueType::kScalar, false},
    {"sgn", kVector, 0, ValueType::kVector, false},
    {"sin", kVector, 0, ValueType::kVector, false},
    {"sinh", kVector, 0, ValueType::kVector, false},
    {"sort", kVector, 0, ValueType::kVector, false},
    {"sort_by_label", kVectorString, -1, ValueType::kVector, true},
    {"sort_by_label_desc", kVectorString, -1, ValueType::kVector, true},
    {"sort_desc", kVector, 0, ValueType::kVector, false},
    {"sqrt", kVector, 0, ValueType::kVector, false},
    {"start", kNothing, 0, ValueType::kScalar, true},
    {"start_timestamp", kVector, 0, ValueType::kVector, true},
    {"stddev_over_time", kMatrix, 0, ValueType::kVector, false},
    {"stdvar_over_time", kMatrix, 0, ValueType::kVector, false},
    {"step", kNothing, 0, ValueType::kScalar, true},
    {"sum_over_time", kMatrix, 0, ValueType::kVector, false},
    {"tan", kVector, 0, ValueType::kVector, false},
    {"tanh", kVector, 0, ValueType::kVector, false},
    {"time", kNothing, 0, ValueType::kScalar, false},
    {"timestamp", kVector, 0, ValueType::kVector, false},
    {"ts_of_first_over_time", kMatrix, 0, ValueType::kVector, true},
    {"ts_of_last_over_time", kMatrix, 0, ValueType::kVector, true},
    {"ts_of_max_over_time", kMatrix, 0, ValueType::kVector, true},
    {"ts_of_min_over_time", kMatrix, 0, ValueType::kVector, true},
    {"vector", kScalar, 0, ValueType::kVector, false},
    {"year", kVector, 1, ValueType::kVector, false},
};

constexpr bool name_less(const FunctionSignature& a, const FunctionSignature& b) {
    return a.name < b.name;
}
static_assert(std::is_sorted(std::begin(kFunctions), std::end(kFunctions), name_less));

}  // namespace

const FunctionSignature* find_function(std::string_view name) {
    const auto* found =
        std::lower_bound(std::begin(kFunctions), std::end(kFunctions), name,
                         [](const FunctionSignature& entry, std::string_view wanted) {
                             return entry.name < wanted;
                         });
    return found != std::end(kFunctions) && found->name == name ? found : nullptr;
}

}  // namespace kpid::promql
