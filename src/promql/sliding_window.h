#pragma once
// Functions over windows that overlap much, in time that does not grow with their width.

#include "promql/window_functions.h"

#include <cstddef>
#include <span>
#include <vector>

namespace kpid::promql {

/// What a window function becomes when its windows move along one series.
enum class SlidingKind { kNone, kSum, kAvg, kMin, kMax, kStdvar, kStddev, kChanges, kResets };

[[nodiscard]] SlidingKind sliding_kind(WindowFunction function);

/// The first sample of a window and the first one behind it.
struct WindowBounds {
    std::size_t low = 0;
    std::size_t high = 0;
};

/// The function of each window; both ends of the windows only move forward, none is empty. Each
/// sample is looked at a few times in all, however many windows it lies in.
///
/// The same numbers as the window function itself gives but for the rounding of sums, which stays
/// compensated. False, and nothing done, when the values are not all finite and far from overflow:
/// then what comes out may depend on the order of the arithmetic.
[[nodiscard]] bool slide(SlidingKind kind, std::span<const double> values,
                         std::span<const WindowBounds> windows, std::vector<double>& answers);

}  // namespace kpid::promql
