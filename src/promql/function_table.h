#pragma once
// What each function does: the engine's side of kpid/promql/functions.h, one table for each family.

#include "promql/evaluator.h"

#include <span>
#include <string_view>

namespace kpid::promql {

/// Evaluates the arguments and the call; the parser has checked their number and types.
using FunctionHandler = Result<Evaluated> (*)(Evaluator&, const Call&, const Steps&);

struct FunctionEntry {
    std::string_view name;
    FunctionHandler handler;
};

/// abs, ceil, clamp, round, trigonometry, …
[[nodiscard]] std::span<const FunctionEntry> math_functions();
/// rate, delta, the *_over_time family, … except absent_over_time.
[[nodiscard]] std::span<const FunctionEntry> range_functions();
/// absent, absent_over_time, scalar, vector, sort, …
[[nodiscard]] std::span<const FunctionEntry> vector_functions();
/// label_replace, label_join.
[[nodiscard]] std::span<const FunctionEntry> label_functions();
/// time, timestamp, year, day_of_month, …
[[nodiscard]] std::span<const FunctionEntry> time_functions();
/// histogram_quantile, histogram_fraction, … on classic buckets.
[[nodiscard]] std::span<const FunctionEntry> histogram_functions();

/// Replaces each value v of a row at step i by change(v, i).
template <class Change>
void change_values(Rows& rows, const Change& change) {
    for (Row& row : rows.rows) {
        for (std::size_t i = 0; i < row.values.size(); ++i) {
            if (!is_absent(row.values[i])) {
                row.values[i] = change(row.values[i], row.first + i);
            }
        }
    }
}

}  // namespace kpid::promql
