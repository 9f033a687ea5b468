#pragma once
// Samples and the stale marker.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <bit>
#include <cstdint>

namespace kpid::model {

/// One value of a series.
struct Sample {
    Timestamp time;
    double value = 0;
};

/// One value and the series it belongs to.
struct SeriesSample {
    Labels labels;
    Timestamp time;
    double value = 0;
};

/// "The series ends here": the NaN bit pattern that is a stale marker; every other is an ordinary
/// value (Prometheus model/value).
inline constexpr std::uint64_t kStaleNanBits = 0x7ff0000000000002;
/// The ordinary NaN, as Prometheus writes it.
inline constexpr std::uint64_t kNormalNanBits = 0x7ff8000000000001;

[[nodiscard]] inline double stale_marker() {
    return std::bit_cast<double>(kStaleNanBits);
}
[[nodiscard]] inline bool is_stale_marker(double value) {
    return std::bit_cast<std::uint64_t>(value) == kStaleNanBits;
}

}  // namespace kpid::model
