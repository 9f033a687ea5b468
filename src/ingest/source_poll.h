#pragma once
// Polls one source that is not a scrape target.

#include "ingest/collector.h"
#include "ingest/poll_task.h"

#include <memory>

namespace kpid::ingest {

/// Collects, joins the source's labels, stores, with `up` and `scrape_duration_seconds`.
class SourcePoll final : public PollTask {
public:
    /// `labels` are those of every series of the source, `job` among them.
    SourcePoll(Environment& environment, Protocol protocol, model::Labels labels,
               std::unique_ptr<Collector> collector);

    [[nodiscard]] net::Task<Result<void>> poll(Timestamp at) override;
    [[nodiscard]] Result<void> end(Timestamp at) override;

private:
    [[nodiscard]] Result<void> take(const Result<Collected>& collected, Timestamp at,
                                    MonoTime started);
    void add_samples(const Collected& collected, Timestamp at,
                     std::vector<model::SeriesSample>& samples,
                     std::vector<SeriesBook::Series*>& series);

    const Protocol protocol_;
    const model::Labels labels_;
    const model::Labels up_labels_;
    const model::Labels duration_labels_;
    const std::unique_ptr<Collector> collector_;
};

}  // namespace kpid::ingest
