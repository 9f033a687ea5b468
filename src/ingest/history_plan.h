#pragma once
// What of the past of one query is to be asked for next.

#include "config/sources.h"
#include "ingest/history_progress.h"
#include "kpid/base/time.h"

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace kpid::ingest {

/// Periods of one query: each is asked for once it has closed. Pure.
struct PeriodPlan {
    /// A period is asked for this long after its end, when the server has all of it:
    /// VictoriaMetrics holds the last 30 s back, scrapes and remote write take their time.
    static constexpr Duration kSettle = std::chrono::minutes(1);
    /// No period begins further back than this many of the longest kind.
    static constexpr std::int64_t kPeriodsMax = 10'000;

    config::Period period = config::Period::kDay;
    Duration backfill{0};

    /// Starts of periods that have closed and are not done, the newest first, at most `count_max`.
    /// Those that were closed before it was asked for the first time go back as far as `backfill`.
    [[nodiscard]] std::vector<Timestamp> due(const HistoryProgress& progress, Timestamp now,
                                             std::size_t count_max) const;
    /// When the period that is open at `now` can be asked for.
    [[nodiscard]] Timestamp next_after(Timestamp now) const;
};

/// The past of a query that is asked in every round: instants at multiples of its interval, from
/// `top` back, piece by piece. Pure.
struct BackfillPlan {
    /// Points that one request asks of a series: Prometheus gives 11,000 at most.
    static constexpr std::int64_t kPointsMax = 10'000;
    /// Fewer are not asked for: a server that does not answer these does not answer at all.
    static constexpr std::int64_t kPointsMin = 50;

    Duration interval{0};  ///< Above 0.
    Duration backfill{0};

    /// Instants to ask for, both ends included.
    struct Piece {
        Timestamp from;
        Timestamp last;
        /// All before it are to be stored; `last` itself may be there only to tell which series
        /// end.
        Timestamp until;
        bool operator==(const Piece&) const = default;
    };
    /// The newest instants that are not done, at most `points_max`; nothing when all are.
    [[nodiscard]] std::optional<Piece> next(const HistoryProgress& progress, Timestamp top,
                                            std::int64_t points_max) const;
    /// The first instant of the rhythm at or after `at`.
    [[nodiscard]] Timestamp align(Timestamp at) const;
};

}  // namespace kpid::ingest
