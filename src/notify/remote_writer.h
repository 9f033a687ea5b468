#pragma once
// Remote write, the sending side: the remotes of a configuration and their durable positions.

#include "config/config.h"
#include "kpid/base/mutex.h"
#include "kpid/model/state_store.h"
#include "notify/newest_append.h"
#include "notify/remote_queue.h"

#include <prometheus/registry.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kpid::notify {

/// What RemoteWriter stands on. All outlive it.
struct RemoteWriterDependencies {
    model::SampleLog& log;
    model::StateStore& state;
    net::HttpClient& client;
    net::Timers& timers;
    net::WorkerPool& workers;
    prometheus::Registry& registry;
    /// What is known of metric families; called on a worker. May be empty.
    std::function<std::vector<model::MetricMetadata>()> metadata;
    Logger logger = Logger();
    std::uint64_t seed = 1;  ///< Of the jitter.
};

/// Keeps one RemoteQueue a remote, and saves how far each is: a start goes on from there, so that a
/// crash sends some samples twice and loses none. A remote that is new begins at the log's end. A
/// reload keeps queues whose configuration stays; the others go on in new ones where they were. The
/// position of a remote that is gone is forgotten.
///
/// Concurrency: start() and reconfigure() one at a time on a worker, they block for the store; what
/// they ask for is done on the strand, soon. The rest may be called anywhere.
class RemoteWriter {
public:
    static constexpr Duration kSaveInterval = std::chrono::seconds(3);
    /// How long a stop goes on sending.
    static constexpr Duration kDrainMax = std::chrono::seconds(3);

    RemoteWriter(net::Strand strand, RemoteWriterDependencies needs);
    ~RemoteWriter();
    RemoteWriter(const RemoteWriter&) = delete;
    RemoteWriter& operator=(const RemoteWriter&) = delete;

    /// Call it before the first SampleLog maintenance. Errors: the store's.
    [[nodiscard]] Result<void> start(const config::Config& config);
    void reconfigure(const config::Config& config);
    /// Sends what is there for kDrainMax at most, and no longer than the deadline; then saves the
    /// positions.
    void stop(MonoTime deadline);
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

    /// To be told of appends.
    [[nodiscard]] model::AppendObserver& observer() { return newest_; }
    /// Brings the metrics up to date that only change with time.
    void refresh_metrics();

private:
    struct Wanted {
        std::vector<config::RemoteWriteConfig> remotes;
        model::Labels external_labels;
        std::map<std::string, RemoteStart> starts;  // by key, of those that are new
    };
    struct HighestIn {
        config::RemoteWriteSend send = config::RemoteWriteSend::kAll;
        prometheus::Gauge* gauge = nullptr;
    };

    /// Where remotes begin that are not known; holds the log for them.
    [[nodiscard]] Result<std::map<std::string, RemoteStart>> load_starts(
        const config::Config& config, const std::set<std::string>& known);
    [[nodiscard]] Result<std::uint64_t> load_position(const std::string& key);
    void want(const config::Config& config, std::map<std::string, RemoteStart> starts);

    net::Task<> apply();
    net::Task<> apply_one(std::shared_ptr<Wanted> wanted);
    net::Task<> stop_others(std::shared_ptr<Wanted> wanted);
    void start_missing(const Wanted& wanted);
    net::Task<> save_loop();
    net::Task<> save();
    net::Task<> stop_task(MonoTime deadline);

    const RemoteWriterDependencies needs_;
    const Logger log_;
    RemoteMetrics metrics_;
    NewestAppend newest_;
    const RemoteDependencies queue_needs_;

    Mutex mutex_;
    std::optional<Wanted> wanted_ KPID_GUARDED_BY(mutex_);
    bool applying_ KPID_GUARDED_BY(mutex_) = false;
    std::set<std::string> known_ KPID_GUARDED_BY(mutex_);  // keys, as wanted last
    std::vector<HighestIn> highest_in_ KPID_GUARDED_BY(mutex_);

    // Owned by the strand; by key.
    const net::Strand strand_;
    std::map<std::string, std::unique_ptr<RemoteQueue>> queues_;
    std::map<std::string, std::uint64_t> saved_;
    std::set<std::string> forgotten_;

    net::TaskGroup changes_;  // of the configuration; one at a time
    net::TaskGroup loops_;
    net::TaskGroup tasks_;
};

}  // namespace kpid::notify
