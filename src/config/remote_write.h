#pragma once
// Where samples are passed on to: Prometheus' remote_write.

#include "kpid/base/http_client_options.h"
#include "kpid/base/time.h"
#include "kpid/model/relabel.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kpid::config {

/// Which samples a remote gets: what kpid recorded itself, what came in from outside, or both.
enum class RemoteWriteSend { kRecorded, kIngested, kAll };

/// Prometheus' queue_config.
struct RemoteWriteQueueConfig {
    /// Above these a setting is refused: they bound what waits in memory.
    static constexpr std::uint64_t kCapacityMax = 1'000'000;
    static constexpr std::uint64_t kShardsMax = 1000;
    static constexpr std::uint64_t kSamplesPerSendMax = 100'000;

    std::uint64_t capacity = 10'000;  ///< Samples that wait, for each shard; at least 1.
    std::uint64_t min_shards = 1;     ///< At least 1.
    std::uint64_t max_shards = 50;    ///< At least min_shards.
    std::uint64_t max_samples_per_send = 2'000;
    Duration batch_send_deadline =
        std::chrono::seconds(5);  ///< How long a sample waits for others.
    Duration min_backoff = std::chrono::milliseconds(30);
    Duration max_backoff = std::chrono::seconds(5);  ///< At least min_backoff.
    bool retry_on_http_429 = false;
    Duration sample_age_limit{0};  ///< Older samples are not sent any more; 0 is no limit.
    bool operator==(const RemoteWriteQueueConfig&) const = default;
};

/// An entry of `remote_write`.
struct RemoteWriteConfig {
    std::string url;
    std::string name;  ///< As written, or empty; unique among those that have one.
    Duration timeout = std::chrono::seconds(30);  ///< Of one request.
    std::vector<model::RelabelConfig> write_relabel_configs;
    RemoteWriteSend send = RemoteWriteSend::kRecorded;
    RemoteWriteQueueConfig queue;
    bool metadata_send = true;
    Duration metadata_send_interval = std::chrono::minutes(1);
    std::uint64_t metadata_max_samples_per_send = 2'000;  ///< Families of one request.
    HttpClientOptions http;                               ///< `headers` are among its headers.
    bool operator==(const RemoteWriteConfig&) const = default;

    /// What tells it from the others, over reloads and restarts: the name, else the URL.
    [[nodiscard]] const std::string& identity() const { return name.empty() ? url : name; }
    /// For metrics and logs: the name, else six hexadecimal digits made from the URL.
    [[nodiscard]] std::string shown_name() const;
    /// The same: the URL without what may be secret, user and query.
    [[nodiscard]] std::string shown_url() const;
};

}  // namespace kpid::config
