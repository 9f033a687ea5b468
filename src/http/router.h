#pragma once
// From a request to the function that answers it.

#include "evaluate/evaluator.h"
#include "http/admin_api.h"
#include "http/cors.h"
#include "http/kpi_past_api.h"
#include "http/pages.h"
#include "http/query_api.h"
#include "http/query_watchdog.h"
#include "http/status_api.h"
#include "ingest/exemplar_table.h"
#include "ingest/import_sink.h"
#include "ingest/ingest.h"
#include "ingest/metadata_table.h"
#include "ingest/push_sink.h"
#include "ingest/remote_write_sink.h"
#include "kpid/base/log.h"
#include "net/http_server.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "notify/notifier.h"

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::http {

/// What the handlers borrow; all of it outlives the router and is thread-safe.
struct RouterDependencies {
    evaluate::Evaluator& evaluator;
    const model::Reader& reader;
    ingest::Ingest& ingest;
    ingest::PushSink& push;
    ingest::RemoteWriteSink& remote_write;
    ingest::ImportSink& imports;
    const ingest::MetadataTable& metadata;
    const ingest::ExemplarTable& exemplars;
    model::StorageAdmin& storage_admin;
    bool enable_admin_api = false;  ///< --web.enable-admin-api
    notify::Notifier& notifier;
    net::Timers& timers;
    /// Pushes, views and pages; and, apart from these, queries: their number bounds the queries
    /// that run at once, so that none of them keeps a push waiting.
    net::WorkerPool& workers;
    net::WorkerPool& queries;
    prometheus::Registry& registry;
    /// Called before the registry is read: brings counters of other parts into it.
    std::function<void()> refresh_metrics;
    /// Reloads the configuration; blocks; the error names every finding.
    std::function<Result<void>()> reload;
    /// The last reload when it failed.
    std::function<std::optional<FailedReload>()> failed_reload;
    /// Nothing while ready, else why not.
    std::function<Result<void>()> ready;
    ProgramInfo program;
    std::function<RuntimeInfo()> runtime_info;
    Cors cors;  ///< --web.cors.origin
    Logger log;
};

/// The HttpHandler of the daemon: every endpoint in one table. Unknown paths are 404 in plain text,
/// as Prometheus answers, known paths with another method 405; OPTIONS below /api/v1/ is 204. Of
/// two patterns that fit, the first of the table counts. Thread-safe.
class Router final : public net::HttpHandler {
public:
    explicit Router(RouterDependencies dependencies);

    [[nodiscard]] net::Task<net::HttpResponse> handle(net::HttpRequest request) override;
    /// Remote write answers a packed body by itself: its snappy is inside, gzip is refused.
    [[nodiscard]] bool wants_packed_body(const net::HttpRequest& request) const override;
    /// In the envelope for what speaks it, in plain text for pages and remote write.
    [[nodiscard]] net::HttpResponse refusal(std::string_view target, unsigned status,
                                            std::string text) const override;
    /// To be spawned once: stops queries at their deadlines.
    [[nodiscard]] net::Task<> watch_queries() { return watchdog_.run(); }

private:
    /// kViews: the workers, but the queries' pool for who asks for the past.
    enum class Pool { kNone, kWorkers, kQueries, kViews };
    using Segments = std::vector<std::string>;
    using Answer = std::function<Result<net::HttpResponse>(const net::HttpRequest& request,
                                                           const Segments& variables)>;
    struct Endpoint {
        std::string pattern;  ///< "/api/v1/label/*/values"; * is one segment.
        std::vector<std::string> methods;
        Pool pool = Pool::kWorkers;
        Answer answer;
        prometheus::Counter* requests = nullptr;

        [[nodiscard]] bool takes(std::string_view method) const;
    };

    void add(std::string pattern, std::vector<std::string> methods, Pool pool, Answer answer);
    void add_query_endpoints();
    void add_expression_endpoints();
    void add_state_endpoints();
    void add_status_endpoints();
    void add_kpi_endpoints();
    void add_ingest_endpoints();
    void add_storage_endpoints();
    void add_notification_endpoints();
    void add_management_endpoints();
    [[nodiscard]] net::HttpResponse run(const Endpoint& endpoint, const net::HttpRequest& request,
                                        const Segments& variables) const;
    [[nodiscard]] net::WorkerPool& pool_of(const Endpoint& endpoint,
                                           const net::HttpRequest& request) const;
    /// Pages of other origins may read it: what only reads, below /api/v1/.
    [[nodiscard]] static bool may_be_shared(const Endpoint& endpoint);
    [[nodiscard]] net::Task<net::HttpResponse> answer(const Endpoint* endpoint,
                                                      const net::HttpRequest* request,
                                                      const Segments* variables);

    const RouterDependencies dependencies_;
    QueryWatchdog watchdog_;
    const QueryApi query_api_;
    const AdminApi admin_api_;
    const KpiPastApi kpi_past_api_;
    prometheus::Family<prometheus::Counter>& requests_;
    std::vector<Endpoint> endpoints_;
};

}  // namespace kpid::http
