#pragma once
// Everything that brings samples in: pollers of sources, listeners. The seam for http and app.

#include "config/config.h"
#include "ingest/exemplar_table.h"
#include "ingest/metadata_table.h"
#include "ingest/target_view.h"
#include "kpid/base/log.h"
#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/model/state_store.h"
#include "net/http_client.h"
#include "net/task.h"
#include "net/timers.h"
#include "net/worker_pool.h"

#include <prometheus/registry.h>

#include <memory>
#include <string_view>
#include <vector>

namespace kpid::ingest {

/// What an Ingest borrows; all of it outlives it and is thread-safe.
struct IngestDependencies {
    model::Appender& appender;
    const model::Reader& reader;  ///< Of the same storage.
    model::StateStore& state;     ///< Likewise.
    net::HttpClient& client;
    net::Timers& timers;
    net::WorkerPool& workers;
    net::asio::io_context& io;
    prometheus::Registry& registry;
    ExemplarTable& exemplars;
    Logger log;
    MetadataTable* metadata = nullptr;  ///< Takes what scrapes say of metrics; may be null.
};

/// Owns the pollers and listeners of the running configuration. prepare, reconfigure, stop and join
/// come from one strand; the views may be asked for from any thread.
class Ingest {
public:
    Ingest(net::Strand strand, const IngestDependencies& dependencies);
    ~Ingest();
    Ingest(const Ingest&) = delete;
    Ingest& operator=(const Ingest&) = delete;

    /// Binds the addresses that the configuration names and this does not hold yet, for the
    /// reconfigure() that follows; what runs goes on. An error: one cannot be had; it names the
    /// address and the setting, and nothing was changed.
    [[nodiscard]] Result<void> prepare(const config::Config& config);
    /// Starts what the configuration names and stops what it no longer names; what is unchanged
    /// goes on without a gap. The first call starts everything. Errors as of prepare(), which needs
    /// not be called before; after it there are none.
    [[nodiscard]] Result<void> reconfigure(const std::shared_ptr<const config::Config>& config);
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

    /// Scrape targets, in order of pool and URL, for /api/v1/targets.
    [[nodiscard]] std::vector<TargetView> targets() const;
    /// What they said of their metrics at their newest scrape, in the same order.
    [[nodiscard]] std::vector<TargetMetadata> target_metadata() const;
    /// Every other source, in order of id, for /api/v1/sources.
    [[nodiscard]] std::vector<SourceView> sources() const;
    /// True when series with this `job` come from a source that is polled.
    [[nodiscard]] bool is_polled(std::string_view job) const;
    /// True when that source answered well since this process started (each of its targets, of
    /// several).
    [[nodiscard]] bool answered_since_start(std::string_view job) const;
    [[nodiscard]] bool all_answered_since_start() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace kpid::ingest
