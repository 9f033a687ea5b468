#pragma once
// When something that repeats is due: instants aligned to its interval, spread by a hash.

#include "kpid/base/time.h"

#include <cstdint>

namespace kpid::ingest {

/// Instants at (hash modulo interval) + n * interval since the epoch, so that restarts keep the
/// rhythm and many sources do not answer at once. A plain value; pure.
class Schedule {
public:
    /// What is due later than this for the first time is also done once before, within this time.
    static constexpr Duration kFirstWithin = std::chrono::seconds(5);
    /// A start that is late by no more than this counts as being on time, as in Prometheus.
    static constexpr Duration kTolerance = std::chrono::milliseconds(2);

    /// `interval` is above 0.
    Schedule(Duration interval, std::uint64_t hash);

    /// The first instant after `now`.
    [[nodiscard]] Timestamp next_after(Timestamp now) const;
    /// The round after the one that was due at `due` and is over at `now`: of the instants that
    /// came meanwhile the newest, to be begun at once, as a ticker keeps one tick; else the next.
    [[nodiscard]] Timestamp round_after(Timestamp due, Timestamp now) const;
    /// When to begin, just started at `now`.
    [[nodiscard]] Timestamp first_after(Timestamp now) const;
    /// The timestamp of what was due at `due` and began at `now`: `due` when that is on time.
    [[nodiscard]] Timestamp timestamp_of(Timestamp due, Timestamp now) const;

private:
    Duration interval_;
    std::uint64_t hash_;
};

}  // namespace kpid::ingest
