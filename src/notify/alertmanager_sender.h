#pragma once
// Hands alerts to Alertmanagers, as Prometheus does.

#include "config/config.h"
#include "kpid/alerting/alert.h"
#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "net/http_client.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "notify/metrics.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kpid::notify {

/// Where alerts are posted to: the URL of every Alertmanager that relabelling leaves.
[[nodiscard]] std::vector<std::string> alertmanager_urls(const config::Config& config);

/// Posts every change to every peer at once, posts what fires again every kResendDelay and what
/// ended for kEndedRetention more. A failed post is not retried: the next one carries the same
/// alerts. A peer that answers nothing has a bounded queue (AlertQueue) and delays no other.
/// Thread-safe; never waits for the disk or the network.
class AlertmanagerSender {
public:
    static constexpr Duration kResendDelay = std::chrono::minutes(1);
    /// How often it is looked for what is due again.
    static constexpr Duration kResendCheck = std::chrono::seconds(15);
    static constexpr Duration kEndedRetention = std::chrono::minutes(15);

    AlertmanagerSender(net::Strand strand, net::HttpClient& client, net::Timers& timers,
                       net::WorkerPool& workers, Metrics& metrics, Logger log);

    /// Starts re-posting; once.
    void start();
    /// New peers are told everything that is known.
    void reconfigure(const config::Config& config);
    void submit(Timestamp now, std::span<const alerting::Alert> alerts);
    /// What fires, as far as it was submitted.
    [[nodiscard]] std::vector<alerting::Alert> firing() const;
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

private:
    struct Peer;
    struct Known {
        alerting::Alert alert;
        Timestamp last_queued;
    };
    struct Post {
        std::size_t alerts = 0;  ///< 0: relabelling left none, nothing is to be sent.
        net::HttpClientRequest request;
    };

    net::Task<> resend_loop();
    net::Task<> post_loop(std::shared_ptr<Peer> peer);
    void resend();
    void enqueue(const std::string& fingerprint, const alerting::Alert& alert,
                 std::uint64_t submission) KPID_REQUIRES(mutex_);
    [[nodiscard]] std::optional<Post> next_post(Peer& peer);
    [[nodiscard]] Post make_post(const Peer& peer, std::vector<alerting::Alert> alerts) const;
    void note_answer(const Peer& peer, std::size_t alerts,
                     const Result<net::HttpClientResponse>& answer);

    net::HttpClient& client_;
    net::Timers& timers_;
    net::WorkerPool& workers_;
    Metrics& metrics_;
    const Logger log_;

    mutable Mutex mutex_;
    model::Labels external_labels_ KPID_GUARDED_BY(mutex_);
    Duration firing_until_ KPID_GUARDED_BY(mutex_) = 4 * kResendDelay;
    std::uint64_t submissions_ KPID_GUARDED_BY(mutex_) = 0;
    std::map<std::string, Known> known_ KPID_GUARDED_BY(mutex_);                  // by fingerprint
    std::map<std::string, std::shared_ptr<Peer>> peers_ KPID_GUARDED_BY(mutex_);  // by URL

    net::TaskGroup tasks_;
};

}  // namespace kpid::notify
