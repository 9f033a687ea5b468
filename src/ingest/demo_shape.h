#pragma once
// The made-up shop of the demo source: numbers as a pure function of time.

#include "kpid/base/time.h"

#include <cstdint>

namespace kpid::ingest {

/// A shop that goes through the same two minutes for ever: well for 15 s, then worse for 5 s, bad
/// for 25 s, better for 5 s, well for the other 70 s.
///
///     severity: 0 until 15 s, rising to 1 at 20 s, 1 until 45 s, falling to 0 at 50 s, 0 until 120
///     s
///
/// Each number is that severity on top of what is normal, with a small ripple.
struct DemoShape {
    static constexpr Duration kPeriod = std::chrono::minutes(2);
    static constexpr double kOrdersPerSecond = 2;  ///< When all is well; a fifth of it in the slip.

    double severity = 0;          ///< 0 is well, 1 the worst.
    double error_ratio = 0;       ///< 0.3 % to 0.7 %, and 8 % more in the slip.
    double response_seconds = 0;  ///< 0.16 to 0.2, and 0.7 more in the slip.
    std::uint64_t orders = 0;     ///< Since the beginning; never falls.

    /// `elapsed` since the beginning; not negative.
    [[nodiscard]] static DemoShape at(Duration elapsed);
};

}  // namespace kpid::ingest
