#pragma once
// Passes the log of samples on to one remote.

#include "config/remote_write.h"
#include "kpid/base/log.h"
#include "kpid/model/metadata.h"
#include "kpid/model/sample_log.h"
#include "kpid/wire/remote_write_encoder.h"
#include "net/http_client.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "notify/remote_metrics.h"
#include "notify/remote_policy.h"
#include "notify/remote_progress.h"
#include "notify/remote_samples.h"
#include "notify/wake.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace kpid::notify {

/// What the sending of samples stands on. All outlive it.
struct RemoteDependencies {
    model::SampleLog& log;
    net::HttpClient& client;
    net::Timers& timers;
    net::WorkerPool& workers;
    RemoteMetrics& metrics;
    /// What is known of metric families; called on a worker.
    std::function<std::vector<model::MetricMetadata>()> metadata;
    Logger logger = Logger();
    std::uint64_t seed = 1;  ///< Of the jitter.
};

/// Where a queue begins.
struct RemoteStart {
    std::uint64_t position = 0;
    /// Samples of the log before it may have reached the remote already: since a crash, or since a
    /// reload, in another request.
    std::uint64_t repeated_until = 0;
};

/// Operation: one task reads the log piece by piece, while samples are less than
/// capacity * shards; a sample goes to the shard of its labels' hash, so that one series stays in
/// order. Each shard has one request at a time, of at most max_samples_per_send samples, when so
/// many wait or the oldest has waited for batch_send_deadline. What is not taken is posted again
/// until it is, or given up (WriteVerdict); the position moves on when all before it is settled.
/// A remote that refuses a whole request (400) since it knows some of its samples already would
/// make the others be lost: of what may be repeated a refused request is cut in two until that is
/// told. Shards come and go by wanted_shards(), at an instant when nothing is on its way.
/// Concurrency: everything on the strand; reading, relabelling and encoding on workers.
class RemoteQueue {
public:
    /// Of one request, before it is packed.
    static constexpr std::size_t kRequestBytesMax = std::size_t{2} << 20U;
    /// Samples that wait, whatever the settings say; one piece of the log more at most.
    static constexpr std::size_t kPendingMax = 1'000'000;
    static constexpr std::size_t kReadSamplesMax = 10'000;
    static constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20U;
    static constexpr Duration kReshardInterval = std::chrono::seconds(10);
    /// How long to wait after a read that failed, and when the log has nothing new (or a quarter of
    /// batch_send_deadline, when that is less).
    static constexpr Duration kReadRetry = std::chrono::seconds(1);
    static constexpr Duration kPollMax = std::chrono::milliseconds(500);
    static constexpr Duration kPollMin = std::chrono::milliseconds(10);
    /// Requests that a queue may cut in two.
    static constexpr std::size_t kCutsMax = 20'000;

    RemoteQueue(net::Strand strand, const RemoteDependencies& needs,
                config::RemoteWriteConfig config, model::Labels external_labels, RemoteStart start);
    ~RemoteQueue();
    RemoteQueue(const RemoteQueue&) = delete;
    RemoteQueue& operator=(const RemoteQueue&) = delete;

    void start();
    /// From here on batches do not wait to be full.
    void begin_drain();
    /// After it: ends when all that is in the log is settled, when the remote does not take it, or
    /// at the deadline.
    [[nodiscard]] net::Task<> drained(MonoTime deadline);
    /// Cancels what runs. Nothing more is read or sent.
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

    /// Everything before it was acknowledged, given up or left out.
    [[nodiscard]] std::uint64_t settled() const { return progress_.settled(); }
    /// Everything before it was read, and may have been sent.
    [[nodiscard]] std::uint64_t read_until() const { return position_; }
    [[nodiscard]] const config::RemoteWriteConfig& config() const { return config_; }
    [[nodiscard]] const model::Labels& external_labels() const { return external_labels_; }
    [[nodiscard]] const RemoteSeries& series() const { return series_; }

private:
    struct Shard;
    struct Range {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    net::Task<> read_loop();
    net::Task<Result<RemoteSamples::Prepared>> read(std::uint64_t position, std::size_t most);
    net::Task<> wait_for_room();
    net::Task<> set_shards();
    net::Task<> reshard_loop();
    net::Task<> send_loop(std::shared_ptr<Shard> shard);
    net::Task<> fill_batch(std::shared_ptr<Shard> shard);
    net::Task<> send_batch(std::shared_ptr<Shard> shard);
    net::Task<Result<wire::RemoteWriteBody>> encode(std::shared_ptr<Shard> shard, Range range);
    net::Task<Result<net::HttpClientResponse>> send(net::HttpClientRequest request);
    net::Task<WriteOutcome> post(wire::RemoteWriteBody body, Timestamp newest);
    net::Task<> metadata_loop();
    net::Task<> send_metadata();

    void accept(RemoteSamples::Prepared prepared);
    void take_batch(Shard& shard);
    void settle_batch(Shard& shard);
    void note_outcome(std::size_t samples, Timestamp newest, const WriteOutcome& outcome);
    [[nodiscard]] bool may_be_repeated(const Shard& shard, Range range) const;
    [[nodiscard]] bool is_outdated(Timestamp newest) const;
    [[nodiscard]] std::size_t room() const;
    [[nodiscard]] Duration poll_interval() const;
    [[nodiscard]] net::HttpClientRequest make_request(const std::string& body) const;
    [[nodiscard]] ShardLoad take_load();
    void signal_shards();

    // Constant after construction.
    const RemoteDependencies& needs_;
    const config::RemoteWriteConfig config_;
    const model::Labels external_labels_;
    const std::string name_;  // as shown
    const std::string url_;
    const std::uint64_t repeated_until_;
    const RemoteSeries series_;
    const Logger log_;

    // Owned by the strand.
    const net::Strand strand_;
    std::uint64_t position_;
    RemoteProgress progress_;
    std::uint64_t first_new_piece_;  // those before it may be repeated
    std::vector<std::shared_ptr<Shard>> shards_;
    std::size_t wanted_shards_;
    bool flushing_ = false;  // batches do not wait to be full
    bool draining_ = false;
    bool caught_up_ = false;
    bool failing_ = false;     // the newest answer was none, or asked for another attempt
    std::size_t running_ = 0;  // requests
    std::size_t cuts_ = 0;
    ShardLoad load_;  // held_up and busy in seconds
    MonoTime load_since_;
    std::int64_t highest_sent_ms_;
    std::mt19937_64 random_;
    Wake reader_;
    Wake drained_;

    RemoteSamples samples_;  // used by the one read that runs
    net::TaskGroup tasks_;
};

}  // namespace kpid::notify
