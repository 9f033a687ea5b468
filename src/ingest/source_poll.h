#pragma once
// Polls one source that is not a scrape target.

#include "ingest/collector.h"
#include "ingest/poll_task.h"
#include "ingest/row_memory.h"
#include "kpid/model/metric_kind.h"

#include <memory>
#include <optional>

namespace kpid::ingest {

/// How a source's samples are stored.
struct SourceRules {
    /// Declared kinds of its metrics; rows are totals otherwise.
    model::MetricKinds kinds;
    std::optional<Duration> out_of_order_window;
    bool operator==(const SourceRules&) const = default;
};

/// Collects, joins the source's labels, stores, with `up` and `scrape_duration_seconds`. Rows go
/// before, in an append of their own, and only those that are news.
class SourcePoll final : public PollTask {
public:
    /// `labels` are those of every series of the source, `job` among them.
    SourcePoll(Environment& environment, Protocol protocol, model::Labels labels,
               std::unique_ptr<Collector> collector, SourceRules rules);

    [[nodiscard]] net::Task<Result<void>> poll(Timestamp at) override;
    [[nodiscard]] net::Task<> run_beside() override { return collector_->run_beside(); }
    [[nodiscard]] SourceNotes notes() const override { return collector_->notes(); }
    [[nodiscard]] Result<void> end(Timestamp at) override;
    void take_over(PollTask& other) override;

private:
    [[nodiscard]] Result<void> take(const Result<Collected>& collected, Timestamp at,
                                    MonoTime started);
    [[nodiscard]] Result<void> take_rows(const Collected& collected, Timestamp at);
    [[nodiscard]] Result<void> recall_events(std::span<const model::SeriesSample> rows);
    void add_samples(const Collected& collected, Timestamp at,
                     std::vector<model::SeriesSample>& samples,
                     std::vector<SeriesBook::Series*>& series);

    const Protocol protocol_;
    const model::Labels labels_;
    const model::Labels up_labels_;
    const model::Labels duration_labels_;
    const std::unique_ptr<Collector> collector_;
    const SourceRules rules_;
    RowMemory rows_;         // used by one worker at a time
    Refusals told_of_rows_;  // of the round before
};

}  // namespace kpid::ingest
