#pragma once
// Takes StatsD over UDP and stores what it adds up to.

#include "config/sources.h"
#include "ingest/poll_task.h"
#include "kpid/base/mutex.h"
#include "kpid/wire/statsd_aggregator.h"
#include "net/task_group.h"
#include "net/udp_listener.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::ingest {

/// Operation: the socket's task copies datagrams into a bounded queue; one drain at a time parses
/// them on the worker pool into the aggregator; every flush_interval the aggregator is stored by
/// one append. A full queue drops datagrams and counts them. Concurrency: the
/// socket, the queue and the flushes are on the strand; open, start, change, stop and join come one
/// at a time. stop() and join() before it dies.
class StatsdServer final : private net::DatagramHandler {
public:
    static constexpr std::size_t kQueueDatagramsMax = 65'536;
    static constexpr std::size_t kQueueBytesMax = 32U << 20U;

    StatsdServer(const net::Strand& strand, Environment& environment,
                 config::StatsdListener settings);
    ~StatsdServer() override;

    /// Binds: from here on the kernel keeps what comes. The error names address and setting.
    [[nodiscard]] Result<void> open();
    /// After open(): begins to read.
    void start();
    /// Goes on at the same address with other settings; another flush interval holds from the next
    /// flush on. Sums begin anew when the percentiles changed.
    void change(config::StatsdListener settings);
    void stop();
    /// After stop(): waits, then stores what is left.
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

    [[nodiscard]] config::StatsdListener settings() const;
    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

private:
    using Datagrams = std::vector<std::string>;

    void on_datagrams(std::span<const std::string_view> datagrams) override;
    void start_drain();
    net::Task<> drain();
    net::Task<> flush_loop();
    /// On a worker.
    void add(const Datagrams& datagrams, wire::StatsdDialect dialect);
    [[nodiscard]] Result<void> flush(Timestamp at);
    void count_listener();
    void drop(const char* reason, std::uint64_t count);

    Environment& environment_;
    net::UdpListener listener_;
    Datagrams queue_;
    std::size_t queue_bytes_ = 0;
    bool draining_ = false;
    std::uint64_t truncated_seen_ = 0;
    std::uint64_t kernel_dropped_seen_ = 0;

    mutable Mutex mutex_;
    config::StatsdListener settings_ KPID_GUARDED_BY(mutex_);
    std::optional<wire::StatsdAggregator> aggregator_ KPID_GUARDED_BY(mutex_);  // never empty
    std::uint64_t limit_seen_ KPID_GUARDED_BY(mutex_) = 0;
    std::uint64_t kind_seen_ KPID_GUARDED_BY(mutex_) = 0;

    net::TaskGroup tasks_;
};

}  // namespace kpid::ingest
