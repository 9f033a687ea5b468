// Arithmetic of periods and pieces.
#include "ingest/history_plan.h"

#include "ingest/utc_periods.h"

#include <algorithm>

namespace kpid::ingest {

std::vector<Timestamp> PeriodPlan::due(const HistoryProgress& progress, Timestamp now,
                                       std::size_t count_max) const {
    constexpr Duration kInstant{1};
    const Timestamp bound = now - kPeriodsMax * config::longest(period);
    const Timestamp first =
        std::max(std::min(period_start(period, progress.since), progress.since - backfill), bound);
    std::vector<Timestamp> starts;
    // The one that is not settled yet, and from there back.
    Timestamp end = period_start(period, now - kSettle);
    while (starts.size() < count_max) {
        const Timestamp begin = progress.done.begin_of(end);
        if (begin < end) {
            // What is done ends with a period unless the periods were others then.
            const Timestamp start = period_start(period, begin);
            end = start < begin ? period_end(period, start) : begin;
        }
        const Timestamp start = period_start(period, end - kInstant);
        if (start < first) {
            break;
        }
        if (!progress.done.covers(start, end)) {
            starts.push_back(start);
        }
        end = start;
    }
    return starts;
}

Timestamp PeriodPlan::next_after(Timestamp now) const {
    return period_end(period, period_start(period, now - kSettle)) + kSettle;
}

std::optional<BackfillPlan::Piece> BackfillPlan::next(const HistoryProgress& progress,
                                                      Timestamp top,
                                                      std::int64_t points_max) const {
    const Timestamp first = align(progress.since - backfill);
    const Timestamp until = progress.done.begin_of(top);
    if (until <= first) {
        return std::nullopt;
    }
    const std::int64_t points = std::clamp<std::int64_t>(points_max, 1, kPointsMax);
    const bool is_newest = until == top;
    return Piece{.from = std::max(first, until - points * interval),
                 .last = is_newest ? until - interval : until,
                 .until = until};
}

Timestamp BackfillPlan::align(Timestamp at) const {
    const std::int64_t step = interval.count();
    const std::int64_t over = ((at.ms() % step) + step) % step;
    return over == 0 ? at : Timestamp(at.ms() - over + step);
}

}  // namespace kpid::ingest
