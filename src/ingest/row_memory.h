#pragma once
// What a source answered in its last round with times of its own, so that only news are stored.

#include "kpid/base/time.h"
#include "kpid/model/appender.h"
#include "kpid/model/labels.h"
#include "kpid/model/metric_kind.h"
#include "kpid/model/reader.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// A source of figures answers the same rows again and again, and now and then one of them has
/// another value. Operation: begin() with the rows of a round gives those that are new or have
/// another value; after these were stored, commit() with the answer, or undo() when they were not.
/// What was refused is new again in the next round, as is everything once in kRepeatAfter: so that
/// what others changed in the store does not stay. Not thread-safe: one user at a time.
///
/// Of a total the last row of an instant counts. Events are rows of their own: of several at one
/// instant those are new that the round before did not have, and they are never repeated.
class RowMemory {
public:
    static constexpr Duration kRepeatAfter = std::chrono::hours(24);
    /// Rows that are remembered; those beyond it are taken for new each time.
    static constexpr std::size_t kRowsMax = 4'000'000;

    /// `kinds` are the declared ones; all other metrics are `otherwise`.
    RowMemory(model::MetricKinds kinds, model::MetricKind otherwise);

    /// The metrics of these rows that are events, which no round before has had, and from when to
    /// when: what the store has of them is to be given to recall(), or after a start everything
    /// would be new.
    [[nodiscard]] std::map<std::string, model::TimeRange> unknown_events(
        std::span<const model::SeriesSample> rows) const;
    /// These stood in the store before: as if the round before had had them.
    void recall(const std::string& metric, std::span<const model::SeriesColumns> stored);

    struct News {
        std::vector<model::SeriesSample> samples;
        std::size_t repeated = 0;  ///< Rows of totals that a later one of this round replaced.
    };
    [[nodiscard]] News begin(std::span<const model::SeriesSample> rows, Timestamp at);
    /// `rejected` are places in the samples of begin().
    void commit(const std::vector<model::Rejection>& rejected);
    void undo();
    /// Goes on with what another one remembers.
    void take_over(RowMemory& other) {
        known_ = std::move(other.known_);
        recalled_ = std::move(other.recalled_);
    }

private:
    struct Row {
        Timestamp time;
        double value = 0;
        std::optional<std::size_t> news;  // its place in what begin() gave
    };
    using Rows = std::unordered_map<model::Labels, std::vector<Row>, model::LabelsHash>;

    [[nodiscard]] bool is_event(const model::Labels& labels) const;
    [[nodiscard]] static std::size_t keep_last_of_each_instant(std::vector<Row>& rows);
    template <class WasRefused>
    void remember(const WasRefused& was_refused);
    static void add_news(const model::Labels& labels, std::vector<Row>& rows,
                         std::vector<Row> known, News& news);

    const model::MetricKinds kinds_;
    const model::MetricKind otherwise_;
    std::set<std::string, std::less<>> recalled_;  // metrics
    Rows known_;
    Rows round_;
    Timestamp repeated_at_ = Timestamp::min();
};

}  // namespace kpid::ingest
