#pragma once
// The instants at which an expression is evaluated, and time arithmetic that saturates.

#include "kpid/base/time.h"

#include <cstddef>

namespace kpid::promql {

/// t + d, clamped to what a Timestamp can hold.
[[nodiscard]] inline Timestamp saturating_add(Timestamp t, Duration d) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(t.ms(), d.count(), &sum)) {
        return d.count() > 0 ? Timestamp::max() : Timestamp::min();
    }
    return Timestamp(sum);
}
/// t - d, clamped likewise.
[[nodiscard]] inline Timestamp saturating_sub(Timestamp t, Duration d) {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(t.ms(), d.count(), &difference)) {
        return d.count() > 0 ? Timestamp::min() : Timestamp::max();
    }
    return Timestamp(difference);
}

/// start, start + step, … (count of them, at least one).
struct Steps {
    Timestamp start;
    Duration step{0};
    std::size_t count = 1;

    bool operator==(const Steps&) const = default;

    [[nodiscard]] Timestamp at(std::size_t index) const {
        return start + step * static_cast<std::int64_t>(index);
    }
    [[nodiscard]] Timestamp last() const { return at(count - 1); }
};

}  // namespace kpid::promql
