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

void warn_of_quantiles(Evaluator& evaluator, const ScalarColumn& quantiles, Position where) {
    const auto warn = [&](double q) {
        evaluator.annotations().warn(
            fmt::format("quantile value should be between 0 and 1, got {}", go_number(q)), where);
    };
    double smallest = 0;
    double largest = 1;
    for (const double q : quantiles) {
        if (std::isnan(q)) {
            warn(q);
            continue;
        }
        smallest = std::min(smallest, q);
        largest = std::max(largest, q);
    }
    if (smallest < 0) {
        warn(smallest);
    }
    if (largest > 1) {
        warn(largest);
    }
}

bool is_label_name(std::string_view name) {
    return !name.empty() && is_valid_utf8(name);
}

}  // namespace kpid::promql
