#pragma once
// Hands alerts to Alertmanagers, as Prometheus does.

#include "config/config.h"
#include "kpid/alerting/alert.h"
#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "net/http_client.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "notify/metrics.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace kpid::notify {

/// Posts every change to every peer at once, posts what fires again every kResendDelay and what
/// ended for kEndedRetention more. A failed post is not retried: the next one carries the same
/// alerts. Thread-safe.
class AlertmanagerSender {
public:
    static constexpr Duration kResendDelay = std::chrono::minutes(1);
    static constexpr Duration kEndedRetention = std::chrono::minutes(15);
    /// A peer that answers nothing has at most this many alerts waiting; beyond it the oldest are
    /// dropped.
    static constexpr std::size_t kQueueMax = 10'000;
    static constexpr std::size_t kBatchMax = 64;

    AlertmanagerSender(net::Strand strand, net::HttpClient& client, net::Timers& timers,
                       Metrics& metrics, Logger log);

    /// Starts re-posting; once.
    void start();
    void reconfigure(const config::Config& config);
    void submit(Timestamp now, std::span<const alerting::Alert> alerts);
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

private:
    struct Peer;
    struct Known {
        alerting::Alert alert;
        Timestamp last_queued;
    };

    net::Task<> resend_loop();
    net::Task<> post_loop(std::shared_ptr<Peer> peer);
    void resend();
    void enqueue(const std::string& fingerprint, const alerting::Alert& alert)
        KPID_REQUIRES(mutex_);
    [[nodiscard]] std::vector<alerting::Alert> take_batch(Peer& peer);
    [[nodiscard]] net::HttpClientRequest make_request(
        const Peer& peer, std::span<const alerting::Alert> alerts) const;

    net::HttpClient& client_;
    net::Timers& timers_;
    Metrics& metrics_;
    const Logger log_;

    mutable Mutex mutex_;
    model::Labels external_labels_ KPID_GUARDED_BY(mutex_);
    Duration firing_until_ KPID_GUARDED_BY(mutex_) = 4 * kResendDelay;
    std::map<std::string, Known> known_ KPID_GUARDED_BY(mutex_);                  // by fingerprint
    std::map<std::string, std::shared_ptr<Peer>> peers_ KPID_GUARDED_BY(mutex_);  // by URL

    net::TaskGroup tasks_;
};

}  // namespace kpid::notify
