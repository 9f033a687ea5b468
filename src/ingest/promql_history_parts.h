#pragma once
// What PromqlHistory works with; only its own files include this.

#include "ingest/history_plan.h"
#include "ingest/promql_history.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// One query and how far its past is. Has either periods or a backfill.
struct PromqlHistory::Item {
    config::PromqlSource::Query query;
    std::string key;  ///< Of its progress in the state store.
    HistoryProgress progress;
    std::optional<PeriodPlan> periods;
    std::optional<BackfillPlan> backfill;
    /// The first instant that is not asked for: live samples begin there.
    std::optional<Timestamp> top;
    std::int64_t points =
        BackfillPlan::kPointsMax;    ///< Of one request; fewer where it is too many.
    std::map<Timestamp, int> tries;  ///< By start: refusals and partial answers.
    bool is_suspect = false;         ///< It was refused; one request at a time.
    bool is_given_up = false;        ///< Its backfill, until the next start.
    Duration wait{0};                ///< The newest one after a failure.
    Timestamp retry_at = Timestamp::min();
    std::optional<Error> error;  ///< Of the newest request, while it failed.

    [[nodiscard]] bool is_filling() const {
        return backfill && !is_given_up &&
               (!top || backfill->next(progress, *top, points).has_value());
    }
};

/// One request: of a period, or of a piece of the past.
struct PromqlHistory::Job {
    Item* item = nullptr;
    Timestamp start;
    Timestamp end;
    std::optional<BackfillPlan::Piece> piece = {};
    std::optional<Result<wire::QueryResult>> answer = {};  ///< Of a period.
    std::optional<Result<wire::QueryMatrix>> matrix = {};  ///< Of a piece.

    [[nodiscard]] const Error* error() const {
        if (answer && !*answer) {
            return &answer->error();
        }
        return matrix && !*matrix ? &matrix->error() : nullptr;
    }
};

/// What is asked for before answers are stored.
struct PromqlHistory::Pass {
    std::vector<Job> jobs;
    std::size_t next = 0;
    std::size_t points = 0;  ///< Held.
    bool is_down = false;    ///< The server does not answer: the rest is left.
};

/// What is stored together.
struct PromqlHistory::Batch {
    std::vector<model::SeriesSample> totals;
    std::vector<model::SeriesSample> samples;
    Timestamp oldest = Timestamp::max();  ///< Of samples.
    std::map<Item*, HistoryProgress> progress;

    [[nodiscard]] HistoryProgress& progress_of(Item& item) {
        return progress.try_emplace(&item, item.progress).first->second;
    }
};

}  // namespace kpid::ingest
