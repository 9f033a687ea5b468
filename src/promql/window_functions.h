#pragma once
// Functions of one window of one series: rates, regressions, statistics over time.

#include "promql/rows.h"

#include <cstdint>
#include <span>

namespace kpid::promql {

/// The samples of a window; never empty, times ascending, no stale markers. Events may share an
/// instant.
struct Window {
    std::span<const Timestamp> times;
    std::span<const double> values;
    Timestamp start;      ///< Excluded.
    Timestamp end;        ///< Included.
    Timestamp step_time;  ///< When the function is evaluated; not `end` with an offset or `@`.
    std::span<const double> parameters;  ///< The scalar arguments at this step, in their order.
    /// Places in `values`, from the second on, whose value is less than the one before; for
    /// functions of counters only, counted from `base`.
    std::span<const std::uint32_t> resets;
    std::uint32_t base = 0;
};

/// The value, or absent() when the window gives none.
using WindowFunction = double (*)(const Window&);

double window_rate(const Window& window);
double window_increase(const Window& window);
double window_delta(const Window& window);
double window_irate(const Window& window);
double window_idelta(const Window& window);
double window_deriv(const Window& window);
double window_predict_linear(const Window& window);
double window_changes(const Window& window);
double window_resets(const Window& window);
double window_smoothing(const Window& window);

double window_sum(const Window& window);
double window_avg(const Window& window);
double window_min(const Window& window);
double window_max(const Window& window);
double window_count(const Window& window);
double window_present(const Window& window);
double window_first(const Window& window);
double window_last(const Window& window);
double window_stdvar(const Window& window);
double window_stddev(const Window& window);
double window_quantile(const Window& window);
double window_mad(const Window& window);
double window_time_of_first(const Window& window);
double window_time_of_last(const Window& window);
double window_time_of_min(const Window& window);
double window_time_of_max(const Window& window);

}  // namespace kpid::promql
