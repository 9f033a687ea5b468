// Parameters of aggregations and functions.

#include "promql/parameters.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kpid::promql {
std::string go_number(double value) {
    return format_float_text(value);
}

void warn_of_quantile(Evaluator& evaluator, double q, Position where) {
    if (!(q >= 0 && q <= 1)) {
        evaluator.annotations().warn(
            fmt::format("quantile value should be between 0 and 1, got {}", go_number(q)), where);
    }
}

void warn_of_quantiles(Evaluator& evaluator, const ScalarColumn& quantiles, Position where) {
    for (const double q : quantiles) {
        warn_of_quantile(evaluator, q, where);
    }
}

ParameterBounds bounds_of(const ScalarColumn& parameter) {
    ParameterBounds bounds{parameter.front(), parameter.front(), false};
    for (const double value : parameter) {
        bounds.any_nan = bounds.any_nan || std::isnan(value);
        bounds.smallest = std::min(bounds.smallest, value);
        bounds.largest = std::max(bounds.largest, value);
    }
    if (bounds.any_nan) {
        bounds.smallest = bounds.largest = std::nan("");
    }
    return bounds;
}

bool is_label_name(std::string_view name) {
    return !name.empty() && is_valid_utf8(name);
}

}  // namespace kpid::promql
