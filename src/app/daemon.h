#pragma once
// The daemon: every part made, joined, and ended in the right order.

#include "app/component_metrics.h"
#include "app/flags.h"
#include "app/self_recorder.h"
#include "config/load.h"
#include "evaluate/evaluator.h"
#include "http/router.h"
#include "ingest/exemplar_table.h"
#include "ingest/import_sink.h"
#include "ingest/ingest.h"
#include "ingest/metadata_table.h"
#include "ingest/push_sink.h"
#include "ingest/remote_write_sink.h"
#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "kpid/storage/storage.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/runtime.h"
#include "net/sd_notify.h"
#include "net/signals.h"
#include "net/task_group.h"
#include "net/worker_pool.h"
#include "notify/notifier.h"
#include "notify/remote_writer.h"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>

namespace kpid::app {

/// Operation: make() opens the storage and builds the parts; run() starts them, serves until
/// SIGTERM or SIGINT, and stops them: the HTTP server first, then sources, evaluation, delivery,
/// remote write; the storage is flushed last. SIGHUP and POST /-/reload load the configuration anew
/// and swap it; on an error the running one stays. Concurrency: run() is the I/O thread. Two worker
/// pools: one for appends, evaluation and pages, one for queries.
class Daemon {
public:
    /// How long parts may take to end after a signal.
    static constexpr Duration kStopDeadline = std::chrono::seconds(10);

    /// Errors: the storage cannot be opened, with its path and the flag that changes it.
    [[nodiscard]] static Result<std::unique_ptr<Daemon>> make(
        const Flags& flags, std::shared_ptr<const config::Config> config, const Clock& clock,
        Logger log);
    ~Daemon();

    /// Returns when the daemon was asked to end and has ended. An error: it could not start, for
    /// example since an address is taken, or a task of its own failed.
    [[nodiscard]] Result<void> run();

private:
    Daemon(const Flags& flags, std::shared_ptr<const config::Config> config, const Clock& clock,
           Logger log, std::unique_ptr<storage::Storage> storage);

    net::Task<> main_task();
    net::Task<Result<void>> start_parts();
    net::Task<> stop_parts();
    net::Task<> reload_task();
    net::Task<> watchdog_task(Duration interval);
    net::Task<> housekeeping_task();
    net::Task<> record_task();
    enum class IngestStep { kPrepare, kApply };
    net::Task<> ingest_task(std::shared_ptr<const config::Config> config, IngestStep step,
                            std::shared_ptr<std::promise<Result<void>>> done);
    /// On a worker: has the step made on the strand and waits for it.
    [[nodiscard]] Result<void> change_ingest(const std::shared_ptr<const config::Config>& config,
                                             IngestStep step);
    [[nodiscard]] Result<void> reload();
    [[nodiscard]] Result<std::shared_ptr<const config::Config>> load() const;
    [[nodiscard]] Result<void> apply(const std::shared_ptr<const config::Config>& config);
    [[nodiscard]] std::optional<http::FailedReload> failed_reload() const;
    [[nodiscard]] http::RuntimeInfo runtime_info() const;
    [[nodiscard]] Result<void> ready() const;
    void keep_house(Timestamp now);
    void refresh_metrics();
    void on_task_failure(std::string_view name, const Error& error);
    [[nodiscard]] std::string status_line() const;
    [[nodiscard]] evaluate::SourceHealth source_health();
    [[nodiscard]] net::HttpServerOptions server_options() const;

    const Flags flags_;
    const Clock& clock_;
    const Logger log_;
    std::shared_ptr<const config::Config> config_;  // of the start; what runs is the evaluator's

    prometheus::Registry registry_;
    prometheus::Gauge& reload_successful_;
    prometheus::Gauge& reload_time_;

    std::unique_ptr<storage::Storage> storage_;
    net::Runtime runtime_;
    net::AsioTimers timers_;
    net::WorkerPool workers_;
    net::WorkerPool queries_;
    net::CurlClient client_;
    net::ServiceNotifier service_;

    notify::Notifier notifier_;
    ingest::Metrics ingest_metrics_;
    ingest::ExemplarTable exemplars_;
    ingest::MetadataTable metadata_;
    ingest::Ingest ingest_;
    evaluate::Evaluator evaluator_;
    ingest::PushSink push_;
    ingest::RemoteWriteSink remote_write_;
    ingest::ImportSink imports_;
    notify::RemoteWriter remote_writer_;
    http::Router router_;
    net::HttpServer server_;
    ComponentMetrics component_metrics_;
    SelfRecorder self_recorder_;

    Mutex reload_mutex_;  // one reload at a time
    mutable Mutex failed_reload_mutex_;
    std::optional<http::FailedReload> failed_reload_ KPID_GUARDED_BY(failed_reload_mutex_);
    std::atomic<bool> started_{false};
    std::atomic<bool> stopping_{false};
    Result<void> outcome_;

    net::Strand strand_;
    net::Signals signals_;
    net::TaskGroup tasks_;
    net::TaskGroup main_;
};

}  // namespace kpid::app
