// Wiring, start, reload and stop.
#include "app/daemon.h"

#include "app/program_info.h"
#include "kpid/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace kpid::app {
namespace {

constexpr std::size_t kWorkersMin = 4;
constexpr std::size_t kQueriesWaitingMax = 128;
constexpr Duration kHousekeepingInterval = std::chrono::minutes(1);

storage::StorageOptions storage_options(const Flags& flags, const config::Config& config) {
    const config::LimitsConfig& limits = config.limits;
    return {.path = flags.storage_path.empty() ? config.storage.path : flags.storage_path,
            .durability = config.storage.durability == config::Durability::kFsync
                              ? storage::Durability::kFsync
                              : storage::Durability::kProcess,
            .retention = config.storage.retention,
            .retention_recorded = config.storage.retention_kpis,
            .retention_bytes = config.storage.retention_size,
            .out_of_order_window = config.storage.out_of_order_window,
            .future_tolerance = config.storage.future_tolerance,
            .series_max = static_cast<std::size_t>(limits.series),
            .label_name_bytes_max = static_cast<std::size_t>(limits.label_name_bytes),
            .label_value_bytes_max = static_cast<std::size_t>(limits.label_value_bytes),
            .labels_per_series_max = static_cast<std::size_t>(limits.labels_per_series)};
}

net::WorkerPoolOptions worker_options() {
    return {.threads = std::max(kWorkersMin, 2 * net::usable_cores())};
}

prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::make(const Flags& flags,
                                             std::shared_ptr<const config::Config> config,
                                             const Clock& clock, Logger log) {
    storage::StorageOptions options = storage_options(flags, *config);
    options.clock = &clock;
    log.info("opening the store", {{"path", options.path}});
    const MonoTime started = clock.mono_now();
    KPID_TRY(std::unique_ptr<storage::Storage> storage, storage::Storage::open(options));
    storage->declare_kinds(config::metric_kinds(config->metrics));
    const auto took = std::chrono::duration_cast<Duration>(clock.mono_now() - started);
    log.info("the store is open", {{"series", std::to_string(storage->stats().series)},
                                   {"took", format_duration(took)}});
    return std::unique_ptr<Daemon>(
        new Daemon(flags, std::move(config), clock, std::move(log), std::move(storage)));
}

Daemon::Daemon(const Flags& flags, std::shared_ptr<const config::Config> config, const Clock& clock,
               Logger log, std::unique_ptr<storage::Storage> storage)
    : flags_(flags),
      clock_(clock),
      log_(std::move(log)),
      config_(std::move(config)),
      reload_successful_(gauge(registry_, "kpid_config_last_reload_successful",
                               "1 when the last attempt to load the configuration went well.")),
      reload_time_(gauge(registry_, "kpid_config_last_reload_success_timestamp_seconds",
                         "When the configuration was last loaded.")),
      storage_(std::move(storage)),
      timers_(clock),
      workers_(worker_options()),
      queries_({.threads = static_cast<std::size_t>(config_->limits.concurrent_queries),
                .queue_max = kQueriesWaitingMax}),
      client_(runtime_.io_context(), {.user_agent = fmt::format("kpid/{}", kVersion)}),
      notifier_(runtime_.make_strand(),
                {.store = *storage_,
                 .client = client_,
                 .timers = timers_,
                 .workers = workers_,
                 .registry = registry_,
                 .log = log_.named("notify"),
                 .seed = static_cast<std::uint64_t>(clock.wall_now().ms())}),
      ingest_metrics_(registry_),
      exemplars_(ingest_metrics_),
      ingest_(runtime_.make_strand(), {.appender = *storage_,
                                       .reader = *storage_,
                                       .state = *storage_,
                                       .client = client_,
                                       .timers = timers_,
                                       .workers = workers_,
                                       .io = runtime_.io_context(),
                                       .registry = registry_,
                                       .exemplars = exemplars_,
                                       .log = log_.named("ingest"),
                                       .metadata = &metadata_}),
      evaluator_(runtime_.make_strand(), {.reader = *storage_,
                                          .appender = *storage_,
                                          .state = *storage_,
                                          .sink = notifier_,
                                          .timers = timers_,
                                          .executor = workers_,
                                          .registry = registry_,
                                          .sources = source_health(),
                                          .log = log_.named("evaluate")}),
      push_(*storage_, *storage_, clock, ingest_metrics_),
      remote_write_({.appender = *storage_,
                     .metadata = metadata_,
                     .exemplars = exemplars_,
                     .clock = clock,
                     .metrics = ingest_metrics_}),
      imports_(*storage_, clock, ingest_metrics_),
      remote_writer_(runtime_.make_strand(),
                     {.log = *storage_,
                      .state = *storage_,
                      .client = client_,
                      .timers = timers_,
                      .workers = workers_,
                      .registry = registry_,
                      .metadata = [this] { return metadata_.list({}, 0); },
                      .logger = log_.named("remote_write"),
                      .seed = static_cast<std::uint64_t>(clock.wall_now().ms())}),
      router_({.evaluator = evaluator_,
               .reader = *storage_,
               .ingest = ingest_,
               .push = push_,
               .remote_write = remote_write_,
               .imports = imports_,
               .metadata = metadata_,
               .exemplars = exemplars_,
               .storage_admin = *storage_,
               .enable_admin_api = flags.enable_admin_api,
               .notifier = notifier_,
               .timers = timers_,
               .workers = workers_,
               .queries = queries_,
               .registry = registry_,
               .refresh_metrics = [this] { refresh_metrics(); },
               .reload = [this] { return reload(); },
               .failed_reload = [this] { return failed_reload(); },
               .ready = [this] { return ready(); },
               .program = program_info(flags, clock.wall_now()),
               .runtime_info = [this] { return runtime_info(); },
               .cors = http::Cors(*model::Regex::compile(flags.cors_origin)),
               .log = log_.named("http")}),
      server_({.io = runtime_.io_context(),
               .workers = workers_,
               .timers = timers_,
               .handler = router_,
               .log = log_.named("net")},
              server_options()),
      component_metrics_(registry_, *storage_),
      self_recorder_(evaluator_, registry_, *storage_, log_.named("app")),
      strand_(runtime_.make_strand()),
      signals_(strand_),
      tasks_(strand_, log_.named("app"),
             [this](std::string_view name, const Error& error) { on_task_failure(name, error); }),
      main_(strand_, log_.named("app"),
            [this](std::string_view name, const Error& error) { on_task_failure(name, error); }) {
    storage_->add_observer(&evaluator_.observer());
    storage_->add_observer(&remote_writer_.observer());
    prometheus::BuildGauge()
        .Name("kpid_build_info")
        .Help("Which kpid this is; always 1.")
        .Register(registry_)
        .Add({{"version", std::string(kVersion)}, {"revision", std::string(kRevision)}})
        .Set(1);
}

Daemon::~Daemon() = default;

evaluate::SourceHealth Daemon::source_health() {
    return {.is_polled = [this](std::string_view job) { return ingest_.is_polled(job); },
            .answered_since_start =
                [this](std::string_view job) { return ingest_.answered_since_start(job); },
            .all_answered_since_start = [this] { return ingest_.all_answered_since_start(); }};
}

net::HttpServerOptions Daemon::server_options() const {
    net::HttpServerOptions options{
        .listen = flags_.listen.empty() ? config_->web.listen : flags_.listen,
        .listen_setting = flags_.listen.empty() ? "web.listen" : "--web.listen-address"};
    options.body_bytes_max = static_cast<std::size_t>(config_->limits.body_bytes);
    options.bodies_bytes_max = std::max(options.bodies_bytes_max, 2 * options.body_bytes_max);
    return options;
}

Result<void> Daemon::run() {
    main_.spawn("main", main_task());
    runtime_.run();
    return outcome_;
}

void Daemon::on_task_failure(std::string_view name, const Error& error) {
    log_.error("a task failed, kpid ends", {{"task", std::string(name)}, {"error", error.message}});
    outcome_ = error.with_context(name);
    if (!stopping_.exchange(true)) {
        std::raise(SIGTERM);
    } else if (name == "main") {
        runtime_.finish();
    }
}

net::Task<> Daemon::main_task() {
    Result<void> started = co_await start_parts();
    if (!started) {
        outcome_ = started;
        stopping_ = true;
    } else {
        started_ = true;
        service_.ready();
        service_.status(status_line());
    }
    while (started) {
        const Result<int> signal = co_await signals_.next();
        if (!signal) {
            break;
        }
        log_.info("signal", {{"number", std::to_string(*signal)}});
        if (*signal != SIGHUP) {
            break;
        }
        tasks_.spawn("reload", reload_task());
    }
    stopping_ = true;
    service_.stopping();
    co_await stop_parts();
    runtime_.finish();
}

net::Task<Result<void>> Daemon::start_parts() {
    // Nothing may reach the parts before they know their state: delivery, then evaluation, then
    // input.
    const Result<void> delivering =
        co_await net::offload(workers_, [this] { return notifier_.start(config_); });
    if (!delivering) {
        co_return delivering.error();
    }
    // Before anything is given up from the log, and before there is more of it.
    const Result<void> sending =
        co_await net::offload(workers_, [this] { return remote_writer_.start(*config_); });
    if (!sending) {
        co_return sending.error();
    }
    const Result<void> evaluating =
        co_await net::offload(workers_, [this] { evaluator_.start(config_); });
    if (!evaluating) {
        co_return evaluating.error();
    }
    const Result<void> listening = server_.start();
    if (!listening) {
        co_return listening.error();
    }
    for (const std::string& address : server_.local_addresses()) {
        log_.info("listening", {{"address", address}, {"url", "http://" + address + "/"}});
    }
    const Result<void> collecting = co_await net::offload(
        workers_, [this] { return change_ingest(config_, IngestStep::kApply); });
    if (!collecting) {
        co_return collecting.error();
    }
    reload_successful_.Set(1);
    reload_time_.Set(clock_.wall_now().seconds());
    tasks_.spawn("watch queries", router_.watch_queries());
    tasks_.spawn("housekeeping", housekeeping_task());
    tasks_.spawn("record", record_task());
    if (const auto interval = service_.watchdog_interval()) {
        tasks_.spawn("watchdog", watchdog_task(*interval));
    }
    co_return Result<void>();
}

net::Task<> Daemon::stop_parts() {
    const MonoTime deadline = timers_.after(kStopDeadline);
    storage_->stop_maintenance();
    const bool served = co_await server_.stop(deadline);
    ingest_.stop();
    const bool collected = co_await ingest_.join(deadline);
    evaluator_.stop();
    const bool evaluated = co_await evaluator_.join(deadline);
    notifier_.stop();
    const bool delivered = co_await notifier_.join(deadline);
    remote_writer_.stop(deadline);
    const bool sent = co_await remote_writer_.join(deadline);
    tasks_.stop();
    const bool ended = co_await tasks_.join(timers_, deadline);
    if (!(served && collected && evaluated && delivered && sent && ended)) {
        log_.warn("not everything ended in time");
    }
    log_.info("kpid has ended");
}

net::Task<> Daemon::ingest_task(std::shared_ptr<const config::Config> config, IngestStep step,
                                std::shared_ptr<std::promise<Result<void>>> done) {
    done->set_value(step == IngestStep::kPrepare ? ingest_.prepare(*config)
                                                 : ingest_.reconfigure(config));
    co_return;
}

Result<void> Daemon::change_ingest(const std::shared_ptr<const config::Config>& config,
                                   IngestStep step) {
    auto promise = std::make_shared<std::promise<Result<void>>>();
    std::future<Result<void>> done = promise->get_future();
    if (!tasks_.spawn("change sources", ingest_task(config, step, std::move(promise)))) {
        return unavailable("kpid is ending");
    }
    return done.get();
}

net::Task<> Daemon::reload_task() {
    service_.reloading(clock_);
    const Result<void> reloaded = co_await net::offload(workers_, [this] { return reload(); });
    service_.ready();
    service_.status(reloaded ? status_line()
                             : "the last reload failed: " + reloaded.error().message);
}

Result<void> Daemon::reload() {
    const MutexLock lock(reload_mutex_);
    if (!started_ || stopping_) {
        return unavailable("kpid is starting or ending");
    }
    const Result<std::shared_ptr<const config::Config>> loaded = load();
    Result<void> applied = loaded ? apply(*loaded) : Result<void>(loaded.error());
    reload_successful_.Set(applied ? 1 : 0);
    const MutexLock failed_lock(failed_reload_mutex_);
    failed_reload_.reset();
    if (!applied) {
        failed_reload_ = {.time = clock_.wall_now(), .error = applied.error().message};
        log_.error("the configuration was not loaded, the running one stays",
                   {{"error", applied.error().message}});
        return applied;
    }
    reload_time_.Set(clock_.wall_now().seconds());
    log_.info("the configuration was loaded",
              {{"file", flags_.config_file}, {"kpis", std::to_string((*loaded)->kpis.size())}});
    return {};
}

Result<std::shared_ptr<const config::Config>> Daemon::load() const {
    const config::LoadResult loaded = config::load_config(flags_.config_file, load_options(flags_));
    std::string all;
    for (const config::Finding& finding : loaded.findings) {
        log_.warn("configuration", {{"finding", to_string(finding)}});
        all += (all.empty() ? "" : "\n") + to_string(finding);
    }
    if (!loaded.ok()) {
        return invalid_argument(std::move(all));
    }
    return loaded.config;
}

Result<void> Daemon::apply(const std::shared_ptr<const config::Config>& config) {
    if (!(config->storage == config_->storage) || config->web.listen != config_->web.listen ||
        !(config->limits == config_->limits)) {
        log_.warn("storage, web.listen and limits change with the next start only");
    }
    // What can fail comes first: a configuration is taken whole or not at all.
    KPID_CHECK_OK(change_ingest(config, IngestStep::kPrepare));
    storage_->declare_kinds(config::metric_kinds(config->metrics));
    notifier_.reconfigure(config);
    evaluator_.reconfigure(config);
    remote_writer_.reconfigure(*config);
    return change_ingest(config, IngestStep::kApply);
}

std::optional<http::FailedReload> Daemon::failed_reload() const {
    const MutexLock lock(failed_reload_mutex_);
    return failed_reload_;
}

http::RuntimeInfo Daemon::runtime_info() const {
    return {.reload_succeeded = !failed_reload().has_value(),
            .last_config = Timestamp(static_cast<std::int64_t>(reload_time_.Value() * 1000)),
            .threads = thread_count()};
}

Result<void> Daemon::ready() const {
    if (!started_) {
        return unavailable("kpid is starting");
    }
    if (stopping_) {
        return unavailable("kpid is ending");
    }
    return storage_->health();
}

std::string Daemon::status_line() const {
    const std::vector<alerting::ActiveAlert> alerts = evaluator_.alerts();
    const auto firing =
        std::count_if(alerts.begin(), alerts.end(), [](const alerting::ActiveAlert& alert) {
            return alert.state == alerting::AlertState::kFiring;
        });
    return fmt::format("{} KPIs, {} alerts firing", evaluator_.kpis().size(), firing);
}

// The watchdog says that the workers live, not only this thread.
net::Task<> Daemon::watchdog_task(Duration interval) {
    for (;;) {
        const Result<void> alive = co_await net::offload(workers_, [] {});
        if (alive) {
            service_.watchdog();
        }
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(interval));
        if (!slept) {
            co_return;
        }
    }
}

net::Task<> Daemon::housekeeping_task() {
    for (;;) {
        const Result<void> kept =
            co_await net::offload(workers_, [this] { keep_house(clock_.wall_now()); });
        if (!kept) {
            log_.warn("housekeeping was put off", {{"error", kept.error().message}});
        }
        const Result<void> slept =
            co_await timers_.sleep_until(timers_.after(kHousekeepingInterval));
        if (!slept) {
            co_return;
        }
    }
}

void Daemon::keep_house(Timestamp now) {
    if (const Result<void> maintained = storage_->maintain(now);
        !maintained && maintained.error().code != Code::kCancelled) {
        log_.warn("old samples were not dropped", {{"error", maintained.error().message}});
    }
    for (const std::string& report : storage_->take_damage_reports()) {
        log_.error("damaged data was set aside", {{"what", report}});
    }
    if (const Result<void> swept = push_.sweep_idempotency_keys(); !swept) {
        log_.warn("old idempotency keys were not dropped", {{"error", swept.error().message}});
    }
    service_.status(status_line());
}

void Daemon::refresh_metrics() {
    component_metrics_.update(server_.stats(), workers_, queries_);
    remote_writer_.refresh_metrics();
}

net::Task<> Daemon::record_task() {
    for (;;) {
        const Result<void> recorded = co_await net::offload(workers_, [this] {
            refresh_metrics();
            self_recorder_.record(clock_.wall_now());
        });
        if (!recorded) {
            log_.warn("kpid's own metrics were not recorded",
                      {{"error", recorded.error().message}});
        }
        const Duration interval = evaluator_.snapshot().config->global.scrape_interval;
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(interval));
        if (!slept) {
            co_return;
        }
    }
}

}  // namespace kpid::app
