// Arithmetic of aligned instants.
#include "ingest/schedule.h"

#include <algorithm>

namespace kpid::ingest {

Schedule::Schedule(Duration interval, std::uint64_t hash)
    : interval_(std::max(interval, Duration(1))), hash_(hash) {
}

Timestamp Schedule::next_after(Timestamp now) const {
    const std::int64_t step = interval_.count();
    const auto offset = static_cast<std::int64_t>(hash_ % static_cast<std::uint64_t>(step));
    const std::int64_t shifted = now.ms() - offset;
    const std::int64_t since = ((shifted % step) + step) % step;
    return Timestamp(now.ms() - since + step);
}

Timestamp Schedule::round_after(Timestamp due, Timestamp now) const {
    const Timestamp next = next_after(now);
    const Timestamp newest = next - interval_;
    return newest > due ? newest : next;
}

Timestamp Schedule::first_after(Timestamp now) const {
    const Timestamp next = next_after(now);
    if (next - now <= kFirstWithin) {
        return next;
    }
    return now + Duration(static_cast<std::int64_t>(
                     hash_ % static_cast<std::uint64_t>(kFirstWithin.count())));
}

Timestamp Schedule::timestamp_of(Timestamp due, Timestamp now) const {
    const Duration late = now - due;
    const bool on_time = late >= Duration(0) && late <= kTolerance &&
                         late * 100 <= std::max(interval_, Duration(100));
    return on_time ? due : now;
}

}  // namespace kpid::ingest
