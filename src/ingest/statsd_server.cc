// The StatsD listener: queue, drain, flush.
#include "ingest/statsd_server.h"

#include "ingest/schedule.h"

#include <iterator>
#include <utility>

namespace kpid::ingest {
namespace {

// How long a drain waits when no worker is free.
constexpr Duration kBusyWait = std::chrono::milliseconds(10);

wire::StatsdDialect wire_dialect(config::StatsdDialect dialect) {
    return dialect == config::StatsdDialect::kDogStatsd ? wire::StatsdDialect::kDogstatsd
                                                        : wire::StatsdDialect::kEtsy;
}

}  // namespace

StatsdServer::StatsdServer(const net::Strand& strand, Environment& environment,
                           config::StatsdListener settings)
    : environment_(environment),
      listener_(strand, *this, environment.log,
                {.listen = settings.udp, .listen_setting = "listeners.statsd.udp"}),
      settings_(std::move(settings)),
      tasks_(strand, environment.log) {
    aggregator_.emplace(wire::StatsdAggregatorOptions{.percentiles = settings_.percentiles});
}

StatsdServer::~StatsdServer() = default;

Result<void> StatsdServer::open() {
    return listener_.open();
}

void StatsdServer::start() {
    tasks_.spawn("statsd receive", listener_.run());
    tasks_.spawn("statsd flush", flush_loop());
}

void StatsdServer::change(config::StatsdListener settings) {
    const MutexLock lock(mutex_);
    if (settings.percentiles != settings_.percentiles) {
        aggregator_.emplace(wire::StatsdAggregatorOptions{.percentiles = settings.percentiles});
        limit_seen_ = 0;
        kind_seen_ = 0;
    }
    settings_ = std::move(settings);
}

config::StatsdListener StatsdServer::settings() const {
    const MutexLock lock(mutex_);
    return settings_;
}

void StatsdServer::stop() {
    tasks_.stop();
}

net::Task<bool> StatsdServer::join(MonoTime deadline) {
    const bool joined = co_await tasks_.join(environment_.timers, deadline);
    if (!joined) {
        co_return false;
    }
    const Datagrams rest = std::exchange(queue_, {});
    const wire::StatsdDialect dialect = wire_dialect(settings().dialect);
    const Timestamp at = environment_.timers.clock().wall_now();
    const Result<void> flushed =
        co_await net::offload(environment_.workers, [this, &rest, dialect, at] {
            add(rest, dialect);
            return flush(at);
        });
    if (!flushed) {
        environment_.log.warn("the last StatsD samples could not be stored",
                              {{"error", flushed.error().message}});
    }
    co_return true;
}

void StatsdServer::on_datagrams(std::span<const std::string_view> datagrams) {
    environment_.metrics.statsd_datagrams.Increment(static_cast<double>(datagrams.size()));
    std::uint64_t dropped = 0;
    for (const std::string_view datagram : datagrams) {
        if (queue_.size() >= kQueueDatagramsMax ||
            queue_bytes_ + datagram.size() > kQueueBytesMax) {
            ++dropped;
            continue;
        }
        queue_.emplace_back(datagram);
        queue_bytes_ += datagram.size();
    }
    drop(kDroppedQueueFull, dropped);
    start_drain();
}

void StatsdServer::start_drain() {
    if (!draining_) {
        draining_ = tasks_.spawn("statsd drain", drain());
    }
}

net::Task<> StatsdServer::drain() {
    while (!queue_.empty()) {
        Datagrams batch = std::exchange(queue_, {});
        queue_bytes_ = 0;
        const wire::StatsdDialect dialect = wire_dialect(settings().dialect);
        const Result<void> added = co_await net::offload(
            environment_.workers, [this, &batch, dialect] { add(batch, dialect); });
        if (added) {
            continue;
        }
        // No worker has time: what waits keeps its place, and the queue its bound.
        for (const std::string& datagram : batch) {
            queue_bytes_ += datagram.size();
        }
        queue_.insert(queue_.begin(), std::make_move_iterator(batch.begin()),
                      std::make_move_iterator(batch.end()));
        const Result<void> slept =
            co_await environment_.timers.sleep_until(environment_.timers.after(kBusyWait));
        if (!slept) {
            break;
        }
    }
    draining_ = false;
}

void StatsdServer::add(const Datagrams& datagrams, wire::StatsdDialect dialect) {
    Metrics& metrics = environment_.metrics;
    for (const std::string& datagram : datagrams) {
        const wire::StatsdPacket packet = wire::parse_statsd(datagram, dialect);
        for (const wire::StatsdLineError& error : packet.errors) {
            metrics.statsd_bad_lines.Add({{"reason", std::string(wire::to_string(error.reason))}})
                .Increment();
            environment_.log.debug("a StatsD line was refused", {{"error", error.message}});
        }
        metrics.statsd_lines.Increment(static_cast<double>(packet.events.size()));
        const MutexLock lock(mutex_);
        for (const wire::StatsdEvent& event : packet.events) {
            aggregator_->add(event);
        }
    }
}

net::Task<> StatsdServer::flush_loop() {
    for (;;) {
        const Timestamp now = environment_.timers.clock().wall_now();
        const Schedule schedule(settings().flush_interval, 0);
        const Timestamp due = schedule.next_after(now);
        const Result<void> slept =
            co_await environment_.timers.sleep_until(environment_.timers.after(due - now));
        if (!slept) {
            co_return;
        }
        count_listener();
        const Timestamp at = schedule.timestamp_of(due, environment_.timers.clock().wall_now());
        const Result<void> flushed =
            co_await net::offload(environment_.workers, [this, at] { return flush(at); });
        if (!flushed) {
            environment_.log.warn("StatsD samples could not be stored",
                                  {{"error", flushed.error().message}});
        }
    }
}

Result<void> StatsdServer::flush(Timestamp at) {
    Metrics& metrics = environment_.metrics;
    std::vector<model::SeriesSample> samples;
    {
        const MutexLock lock(mutex_);
        samples = aggregator_->flush(at);
        const std::uint64_t limit = aggregator_->dropped_by_limit();
        const std::uint64_t kind = aggregator_->dropped_by_kind();
        metrics.statsd_bad_lines.Add({{"reason", kStatsdSeriesLimit}})
            .Increment(static_cast<double>(limit - std::exchange(limit_seen_, limit)));
        metrics.statsd_bad_lines.Add({{"reason", kStatsdOtherKind}})
            .Increment(static_cast<double>(kind - std::exchange(kind_seen_, kind)));
    }
    const Result<model::AppendResult> stored = store(environment_, Protocol::kStatsd, samples, {});
    if (!stored) {
        return stored.error();
    }
    return {};
}

void StatsdServer::count_listener() {
    const net::UdpListenerStats stats = listener_.stats();
    drop(kDroppedTruncated,
         stats.truncated_total - std::exchange(truncated_seen_, stats.truncated_total));
    drop(kDroppedKernel, stats.kernel_dropped_total -
                             std::exchange(kernel_dropped_seen_, stats.kernel_dropped_total));
}

void StatsdServer::drop(const char* reason, std::uint64_t count) {
    if (count > 0) {
        environment_.metrics.statsd_dropped_datagrams.Add({{"reason", reason}})
            .Increment(static_cast<double>(count));
    }
}

}  // namespace kpid::ingest
