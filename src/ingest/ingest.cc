// The pollers and listeners of the running configuration.
#include "ingest/ingest.h"

#include "ingest/poller_spec.h"
#include "ingest/statsd_server.h"
#include "kpid/base/mutex.h"
#include "net/task_group.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace kpid::ingest {
namespace {

// How long the last round of a source that was removed may take to end.
constexpr Duration kEndDeadline = std::chrono::minutes(1);

struct Running {
    PollerSpec spec;
    std::shared_ptr<Poller> poller;
};

const char* health_of(const PollStatus& status) {
    if (!status.polled) {
        return "unknown";
    }
    return status.up ? "up" : "down";
}

}  // namespace

class Ingest::Impl {
public:
    Impl(net::Strand strand, const IngestDependencies& dependencies);

    Result<void> prepare(const config::Config& config);
    Result<void> reconfigure(const config::Config& config);
    void stop();
    net::Task<bool> join(MonoTime deadline);
    std::vector<TargetView> targets() const;
    std::vector<TargetMetadata> target_metadata() const;
    std::vector<SourceView> sources() const;

    /// Whether there is a poller of that job, and whether each of them answered; of all jobs
    /// without one.
    struct Answers {
        bool any = false;
        bool all_answered = true;
    };
    Answers answers(const std::string_view* job) const;

private:
    Running start(PollerSpec spec);
    void reconfigure_pollers(WantedPollers wanted);
    bool holds(const config::StatsdListener& wanted) const;
    void reconfigure_statsd(const std::optional<config::StatsdListener>& wanted);
    void retire(const std::shared_ptr<Poller>& poller) KPID_REQUIRES(mutex_);
    void forget(const std::shared_ptr<Poller>& poller);
    net::Task<> end(std::shared_ptr<Poller> poller, Timestamp at);
    net::Task<> replace(std::shared_ptr<Poller> old, std::shared_ptr<Poller> fresh);
    net::Task<> end_statsd(std::shared_ptr<StatsdServer> server);
    void on_polled(const std::string& source);
    void count_sources(const std::vector<std::string>& sources);

    const net::Strand strand_;
    Metrics metrics_;
    Environment environment_;

    // Of those who call prepare, reconfigure, stop and join, which come one at a time.
    std::set<std::string> sources_;
    std::shared_ptr<StatsdServer> statsd_;
    std::shared_ptr<StatsdServer> next_statsd_;  // bound, not started
    bool stopped_ = false;

    mutable Mutex mutex_;
    std::map<std::string, Running> running_ KPID_GUARDED_BY(mutex_);  // by key
    std::vector<TargetView> dropped_ KPID_GUARDED_BY(mutex_);
    // Stopped, not yet joined.
    std::set<std::shared_ptr<Poller>> ending_ KPID_GUARDED_BY(mutex_);
    std::set<std::shared_ptr<StatsdServer>> ending_statsd_ KPID_GUARDED_BY(mutex_);

    net::TaskGroup tasks_;
};

Ingest::Impl::Impl(net::Strand strand, const IngestDependencies& dependencies)
    : strand_(strand),
      metrics_(dependencies.registry),
      environment_{.appender = dependencies.appender,
                   .reader = dependencies.reader,
                   .state = dependencies.state,
                   .client = dependencies.client,
                   .timers = dependencies.timers,
                   .workers = dependencies.workers,
                   .metrics = metrics_,
                   .exemplars = dependencies.exemplars,
                   .log = dependencies.log,
                   .metadata = dependencies.metadata},
      tasks_(std::move(strand), dependencies.log) {
}

Result<void> Ingest::Impl::prepare(const config::Config& config) {
    const std::optional<config::StatsdListener>& wanted = config.listeners.statsd;
    const bool is_ready = next_statsd_ != nullptr && wanted && next_statsd_->settings() == *wanted;
    if (stopped_ || is_ready) {
        return {};
    }
    next_statsd_.reset();
    if (!wanted || holds(*wanted)) {
        return {};
    }
    auto server = std::make_shared<StatsdServer>(strand_, environment_, *wanted);
    KPID_CHECK_OK(server->open());
    next_statsd_ = std::move(server);
    return {};
}

Result<void> Ingest::Impl::reconfigure(const config::Config& config) {
    if (stopped_) {
        return {};
    }
    // What can fail comes first, so that a configuration is taken whole or not at all.
    KPID_CHECK_OK(prepare(config));
    reconfigure_pollers(wanted_pollers(config));
    reconfigure_statsd(config.listeners.statsd);
    return {};
}

Running Ingest::Impl::start(PollerSpec spec) {
    auto poller = std::make_shared<Poller>(
        strand_, environment_, poller_options(spec), make_poll_task(spec, environment_),
        [this](const std::string& source) { on_polled(source); });
    return {std::move(spec), std::move(poller)};
}

void Ingest::Impl::reconfigure_pollers(WantedPollers wanted) {
    count_sources(wanted.sources);
    const MutexLock lock(mutex_);
    std::map<std::string, Running> next;
    for (PollerSpec& spec : wanted.pollers) {
        if (next.contains(spec.key)) {
            continue;
        }
        const std::string key = spec.key;
        const auto old = running_.find(key);
        if (old == running_.end()) {
            const Running& fresh = next.emplace(key, start(std::move(spec))).first->second;
            fresh.poller->start();
        } else if (old->second.spec == spec) {
            next.emplace(key, std::move(old->second));
            running_.erase(old);
        } else {
            // The same series polled in another way: they go on, without markers.
            const Running& fresh = next.emplace(key, start(std::move(spec))).first->second;
            old->second.poller->stop();
            ending_.insert(old->second.poller);
            tasks_.spawn("replace " + fresh.spec.source, replace(old->second.poller, fresh.poller));
            running_.erase(old);
        }
    }
    for (auto& [key, gone] : running_) {
        retire(gone.poller);
    }
    running_ = std::move(next);
    dropped_ = std::move(wanted.dropped);
}

void Ingest::Impl::count_sources(const std::vector<std::string>& sources) {
    std::set<std::string> wanted(sources.begin(), sources.end());
    for (const std::string& source : wanted) {
        if (!sources_.contains(source)) {
            metrics_.add_source(source);
        }
    }
    for (const std::string& source : sources_) {
        if (!wanted.contains(source)) {
            metrics_.remove_source(source);
        }
    }
    sources_ = std::move(wanted);
}

void Ingest::Impl::retire(const std::shared_ptr<Poller>& poller) {
    poller->stop();
    ending_.insert(poller);
    tasks_.spawn("end " + poller->source(), end(poller, environment_.timers.clock().wall_now()));
}

net::Task<> Ingest::Impl::end(std::shared_ptr<Poller> poller, Timestamp at) {
    const bool joined = co_await poller->join(environment_.timers.after(kEndDeadline));
    if (!joined) {
        environment_.log.warn("a source that was removed does not end",
                              {{"source", poller->source()}});
        co_return;
    }
    const Result<void> ended =
        co_await net::offload(environment_.workers, [&poller, at] { return poller->end(at); });
    if (!ended) {
        environment_.log.warn("the series of a removed source could not be marked stale",
                              {{"source", poller->source()}, {"error", ended.error().message}});
    }
    forget(poller);
}

void Ingest::Impl::forget(const std::shared_ptr<Poller>& poller) {
    const MutexLock lock(mutex_);
    ending_.erase(poller);
}

net::Task<> Ingest::Impl::replace(std::shared_ptr<Poller> old, std::shared_ptr<Poller> fresh) {
    const bool joined = co_await old->join(environment_.timers.after(kEndDeadline));
    if (joined) {
        fresh->take_over(*old);
        forget(old);
    }
    fresh->start();
}

bool Ingest::Impl::holds(const config::StatsdListener& wanted) const {
    return statsd_ != nullptr && statsd_->settings().udp == wanted.udp;
}

void Ingest::Impl::reconfigure_statsd(const std::optional<config::StatsdListener>& wanted) {
    if (wanted && holds(*wanted)) {
        if (!(statsd_->settings() == *wanted)) {
            statsd_->change(*wanted);
        }
        return;
    }
    const std::shared_ptr<StatsdServer> old =
        std::exchange(statsd_, std::exchange(next_statsd_, nullptr));
    if (statsd_ != nullptr) {
        statsd_->start();
        environment_.log.info("StatsD is taken", {{"udp", statsd_->settings().udp},
                                                  {"port", std::to_string(statsd_->port())}});
    }
    if (old == nullptr) {
        return;
    }
    old->stop();
    {
        const MutexLock lock(mutex_);
        ending_statsd_.insert(old);
    }
    tasks_.spawn("end statsd", end_statsd(old));
}

net::Task<> Ingest::Impl::end_statsd(std::shared_ptr<StatsdServer> server) {
    const bool joined = co_await server->join(environment_.timers.after(kEndDeadline));
    if (joined) {
        const MutexLock lock(mutex_);
        ending_statsd_.erase(server);
    }
}

void Ingest::Impl::on_polled(const std::string& source) {
    bool up = true;
    {
        const MutexLock lock(mutex_);
        for (const auto& [key, running] : running_) {
            up = up && (running.spec.source != source || running.poller->status().up);
        }
    }
    metrics_.source_up.Add({{"source", source}}).Set(up ? 1 : 0);
}

void Ingest::Impl::stop() {
    stopped_ = true;
    next_statsd_.reset();
    {
        const MutexLock lock(mutex_);
        for (auto& [key, running] : running_) {
            running.poller->stop();
        }
    }
    if (statsd_ != nullptr) {
        statsd_->stop();
    }
    tasks_.stop();
}

net::Task<bool> Ingest::Impl::join(MonoTime deadline) {
    std::vector<std::shared_ptr<Poller>> pollers;
    std::vector<std::shared_ptr<StatsdServer>> servers;
    {
        const MutexLock lock(mutex_);
        pollers.assign(ending_.begin(), ending_.end());
        servers.assign(ending_statsd_.begin(), ending_statsd_.end());
        for (const auto& [key, running] : running_) {
            pollers.push_back(running.poller);
        }
    }
    if (statsd_ != nullptr) {
        servers.push_back(statsd_);
    }
    bool all_joined = co_await tasks_.join(environment_.timers, deadline);
    for (const std::shared_ptr<Poller>& poller : pollers) {
        const bool joined = co_await poller->join(deadline);
        all_joined = all_joined && joined;
    }
    for (const std::shared_ptr<StatsdServer>& server : servers) {
        const bool joined = co_await server->join(deadline);
        all_joined = all_joined && joined;
    }
    co_return all_joined;
}

std::vector<TargetView> Ingest::Impl::targets() const {
    std::vector<TargetView> views;
    const MutexLock lock(mutex_);
    for (const auto& [key, running] : running_) {
        const auto* scrape = std::get_if<PollerSpec::Scrape>(&running.spec.kind);
        if (scrape == nullptr) {
            continue;
        }
        TargetView view = target_view(*scrape->config, scrape->target);
        const PollStatus status = running.poller->status();
        if (status.polled) {
            view.last_error = status.last_error;
            view.last_scrape = status.last_poll;
            view.last_scrape_duration = status.last_duration;
            view.health = health_of(status);
        }
        views.push_back(std::move(view));
    }
    views.insert(views.end(), dropped_.begin(), dropped_.end());
    std::stable_sort(views.begin(), views.end(), [](const TargetView& a, const TargetView& b) {
        return std::tie(a.scrape_pool, a.scrape_url) < std::tie(b.scrape_pool, b.scrape_url);
    });
    return views;
}

std::vector<TargetMetadata> Ingest::Impl::target_metadata() const {
    std::vector<std::pair<TargetView, MetadataList>> found;
    const MutexLock lock(mutex_);
    for (const auto& [key, running] : running_) {
        const auto* scrape = std::get_if<PollerSpec::Scrape>(&running.spec.kind);
        MetadataList metrics = scrape != nullptr ? running.poller->metadata() : nullptr;
        if (metrics != nullptr) {
            found.emplace_back(target_view(*scrape->config, scrape->target), std::move(metrics));
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::tie(a.first.scrape_pool, a.first.scrape_url) <
               std::tie(b.first.scrape_pool, b.first.scrape_url);
    });
    std::vector<TargetMetadata> all;
    all.reserve(found.size());
    for (auto& [view, metrics] : found) {
        all.push_back({std::move(view.labels), std::move(metrics)});
    }
    return all;
}

std::vector<SourceView> Ingest::Impl::sources() const {
    std::vector<SourceView> views;
    const MutexLock lock(mutex_);
    for (const auto& [key, running] : running_) {
        const auto* source = std::get_if<config::SourceConfig>(&running.spec.kind);
        if (source == nullptr) {
            continue;
        }
        const PollStatus status = running.poller->status();
        views.push_back({.id = source->id,
                         .kind = std::string(source->kind_name()),
                         .labels = running.spec.labels,
                         .health = health_of(status),
                         .last_error = status.last_error,
                         .last_poll = status.last_poll,
                         .last_poll_duration = status.last_duration,
                         .interval = source->interval,
                         .notes = running.poller->notes()});
    }
    std::sort(views.begin(), views.end(),
              [](const SourceView& a, const SourceView& b) { return a.id < b.id; });
    return views;
}

Ingest::Impl::Answers Ingest::Impl::answers(const std::string_view* job) const {
    Answers answers;
    const MutexLock lock(mutex_);
    for (const auto& [key, running] : running_) {
        if (job == nullptr || running.spec.labels.get("job") == *job) {
            answers.any = true;
            answers.all_answered = answers.all_answered && running.poller->status().answered;
        }
    }
    return answers;
}

Ingest::Ingest(net::Strand strand, const IngestDependencies& dependencies)
    : impl_(std::make_unique<Impl>(std::move(strand), dependencies)) {
}

Ingest::~Ingest() = default;

Result<void> Ingest::prepare(const config::Config& config) {
    return impl_->prepare(config);
}

Result<void> Ingest::reconfigure(const std::shared_ptr<const config::Config>& config) {
    return impl_->reconfigure(*config);
}

void Ingest::stop() {
    impl_->stop();
}

net::Task<bool> Ingest::join(MonoTime deadline) {
    return impl_->join(deadline);
}

std::vector<TargetView> Ingest::targets() const {
    return impl_->targets();
}

std::vector<TargetMetadata> Ingest::target_metadata() const {
    return impl_->target_metadata();
}

std::vector<SourceView> Ingest::sources() const {
    return impl_->sources();
}

bool Ingest::is_polled(std::string_view job) const {
    return impl_->answers(&job).any;
}

bool Ingest::answered_since_start(std::string_view job) const {
    const Impl::Answers answers = impl_->answers(&job);
    return answers.any && answers.all_answered;
}

bool Ingest::all_answered_since_start() const {
    return impl_->answers(nullptr).all_answered;
}

}  // namespace kpid::ingest
