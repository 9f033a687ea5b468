#pragma once
// The seam between the schedule of polls and what is polled.

#include "ingest/exemplar_table.h"
#include "ingest/metadata_table.h"
#include "ingest/metrics.h"
#include "ingest/series_book.h"
#include "ingest/source_notes.h"
#include "kpid/base/log.h"
#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "kpid/model/state_store.h"
#include "net/http_client.h"
#include "net/task.h"
#include "net/timers.h"
#include "net/worker_pool.h"

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// What every poller borrows; outlives all of them.
struct Environment {
    model::Appender& appender;
    const model::Reader& reader;
    model::StateStore& state;
    net::HttpClient& client;
    net::Timers& timers;
    net::WorkerPool& workers;
    Metrics& metrics;
    ExemplarTable& exemplars;
    Logger log;
    MetadataTable* metadata = nullptr;  ///< Where scrapes say what metrics are; may be null.
};

/// What a target said of its metrics; shared since it is asked for while it is scraped.
using MetadataList = std::shared_ptr<const std::vector<model::MetricMetadata>>;

/// What the samples of a source are, and how late they may come (see model::AppendBatch).
struct StoreOptions {
    model::MetricKind kind = model::MetricKind::kGauge;
    std::optional<Duration> out_of_order_window = {};
    std::span<model::SeriesHandle> handles = {};
};

/// Appends and counts what was taken and refused. Blocks. An error: nothing was stored.
[[nodiscard]] Result<model::AppendResult> store(Environment& environment, Protocol protocol,
                                                std::span<const model::SeriesSample> samples,
                                                const StoreOptions& options);

/// One thing that is polled: a scrape target, or a source of another kind. One call at a time.
class PollTask {
public:
    explicit PollTask(Environment& environment) : environment_(environment) {}
    virtual ~PollTask() = default;
    PollTask(const PollTask&) = delete;
    PollTask& operator=(const PollTask&) = delete;

    /// Fetches, decodes and stores what there is at `at`, with `up` and its like; when that fails,
    /// `up` is 0, what lived is marked stale, and the error says why. Runs on the poller's strand,
    /// its work on the worker pool.
    [[nodiscard]] virtual net::Task<Result<void>> poll(Timestamp at) = 0;
    /// What it does beside its rounds, until it is cancelled; ends when there is nothing more to
    /// do. Runs on the poller's strand.
    [[nodiscard]] virtual net::Task<> run_beside() { co_return; }
    /// What its peer says beside its answers. From any thread.
    [[nodiscard]] virtual SourceNotes notes() const { return {}; }
    /// Marks everything stale at `at`: the source is gone. Blocks; after the last poll().
    [[nodiscard]] virtual Result<void> end(Timestamp at) = 0;

    /// What it said of its metrics; null: nothing. From any thread.
    [[nodiscard]] virtual MetadataList metadata() const { return nullptr; }

    /// Goes on with the series of one that was polled before under the same labels.
    virtual void take_over(PollTask& other) { book_ = std::move(other.book_); }

protected:
    /// What storage refused of a round.
    using Refusals = std::set<model::RejectReason>;
    /// Logs what storage refused of a round, when it is not what it refused of the round `before`:
    /// how many for each reason, and the first. Names that are kpid's own are no news.
    void tell_refusals(std::string_view source, const model::AppendResult& stored,
                       std::span<const model::SeriesSample> samples, Refusals& before);

    Environment& environment_;
    SeriesBook book_;  // used by one worker at a time
    Refusals told_;    // of the round before
};

}  // namespace kpid::ingest
