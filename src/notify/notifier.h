#pragma once
// Delivery: groups alerts, keeps messages until they are acknowledged, sends webhooks.

#include "config/config.h"
#include "kpid/alerting/dispatcher.h"
#include "kpid/base/log.h"
#include "kpid/base/mutex.h"
#include "kpid/model/state_store.h"
#include "net/http_client.h"
#include "net/task_group.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "notify/alert_sink.h"
#include "notify/alertmanager_sender.h"
#include "notify/message.h"
#include "notify/metrics.h"
#include "notify/retry_policy.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace kpid::notify {

/// What a Notifier borrows; all of it outlives it and is thread-safe.
struct NotifierDependencies {
    model::StateStore& store;
    net::HttpClient& client;
    net::Timers& timers;
    net::WorkerPool& workers;
    prometheus::Registry& registry;
    Logger log;
    std::uint64_t seed = 0;  ///< Of the jitter.
};

/// The durable outbox and its deliveries.
///
/// Operation: submit() gives alerts to the dispatcher and writes groups, new messages and the
/// caller's state in one batch; then a task per message makes one attempt at a time. Every
/// attempt's outcome is written before the next step. At least once, in order per group and
/// webhook, with the same webhook-id over attempts and restarts. A write that storage refuses
/// delivers nothing: what it held is kept and written with the next one. Concurrency: one mutex
/// around dispatcher and outbox, held for the write, so that memory and store change in the same
/// order. submit, retry, drop and the views block: worker threads only. Deliveries run on `strand`.
/// Limits: kOutboxMax messages (a new one beyond it is dropped, counted and logged), kHistoryMax
/// settled ones a receiver, kConcurrency requests at once a receiver.
class Notifier final : public AlertSink {
public:
    static constexpr std::size_t kOutboxMax = 100'000;
    static constexpr std::size_t kHistoryMax = 500;
    static constexpr std::size_t kConcurrency = 4;
    /// The timer looks at least this often, so that a jump of the wall clock does no lasting harm.
    static constexpr Duration kWakeMax = std::chrono::seconds(30);
    static constexpr Duration kStoreRetry = std::chrono::seconds(1);

    Notifier(net::Strand strand, NotifierDependencies dependencies);
    ~Notifier() override;

    /// Reads back groups and messages, and goes on delivering. Blocks; once, before anything else.
    [[nodiscard]] Result<void> start(std::shared_ptr<const config::Config> config);
    /// New routes and receivers. Messages for a receiver that is gone are dropped, counted and
    /// logged. Blocks.
    void reconfigure(std::shared_ptr<const config::Config> config);

    [[nodiscard]] Result<void> submit(Timestamp now, std::span<const alerting::Alert> alerts,
                                      std::span<const model::StateWrite> also) override;

    struct Filter {
        std::string receiver;               ///< Empty: all.
        std::optional<MessageState> state;  ///< Nothing: all.
    };
    /// Pending messages, then settled ones; each newest first.
    [[nodiscard]] std::vector<Message> list(const Filter& filter) const;
    /// Tries a pending message now, or puts a failed or dropped one back. kNotFound, or kConflict
    /// when it was delivered.
    [[nodiscard]] Result<void> retry(const std::string& id);
    /// Gives a pending message up.
    [[nodiscard]] Result<void> drop(const std::string& id);

    /// Starts no more attempts, cancels those that run; everything is in the outbox.
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

private:
    struct Lane;  // one webhook of one receiver

    // With the mutex held.
    void take_due(Timestamp now) KPID_REQUIRES(mutex_);
    void add_messages(alerting::GroupNotification& notification, Timestamp now)
        KPID_REQUIRES(mutex_);
    void add_message(Message message) KPID_REQUIRES(mutex_);
    void settle(Message message, MessageState state, const char* reason, Timestamp now)
        KPID_REQUIRES(mutex_);
    void remember(Message message) KPID_REQUIRES(mutex_);
    void settle_notification(const Message& message, bool delivered, Timestamp now)
        KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> flush(std::span<const model::StateWrite> also) KPID_REQUIRES(mutex_);
    void arm(Timestamp now) KPID_REQUIRES(mutex_);
    void pump(const std::string& receiver) KPID_REQUIRES(mutex_);
    void save(const Message& message) KPID_REQUIRES(mutex_);
    void drop_orphans(Timestamp now) KPID_REQUIRES(mutex_);
    [[nodiscard]] const config::WebhookConfig* webhook_of(const Message& message) const
        KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> restore_messages(Timestamp now) KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> restore_groups(Timestamp now) KPID_REQUIRES(mutex_);
    void update_pending(const std::string& receiver) KPID_REQUIRES(mutex_);

    // Without it, on worker threads.
    void on_wake(Timestamp armed_for);
    void on_attempted(const std::string& id, const std::string& receiver, const Outcome& outcome);
    void on_retry_due(const std::string& id);

    net::Task<> wake(Timestamp armed_for, MonoTime deadline);
    net::Task<> attempt(Message message, config::WebhookConfig webhook);
    net::Task<> retry_later(std::string id, MonoTime when);

    model::StateStore& store_;
    net::HttpClient& client_;
    net::Timers& timers_;
    net::WorkerPool& workers_;
    const Logger log_;
    Metrics metrics_;
    AlertmanagerSender alertmanagers_;

    mutable Mutex mutex_;
    std::shared_ptr<const config::Config> config_ KPID_GUARDED_BY(mutex_);
    alerting::Dispatcher dispatcher_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, Message> outbox_ KPID_GUARDED_BY(mutex_);               // by id
    std::map<std::string, std::deque<Message>> history_ KPID_GUARDED_BY(mutex_);  // by receiver
    // Per receiver: messages that may be sent now, and how many requests run.
    std::map<std::string, std::deque<std::string>> ready_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::size_t> running_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::size_t> pending_counts_ KPID_GUARDED_BY(mutex_);
    // Writes that are not in the store yet, by key, and messages that wait for them.
    std::map<std::string, std::optional<std::string>> unsaved_ KPID_GUARDED_BY(mutex_);
    std::vector<std::string> unsaved_messages_ KPID_GUARDED_BY(mutex_);
    std::set<Timestamp> armed_ KPID_GUARDED_BY(mutex_);
    std::mt19937_64 random_ KPID_GUARDED_BY(mutex_);
    std::uint64_t refused_seen_ KPID_GUARDED_BY(mutex_) = 0;

    net::TaskGroup tasks_;
};

}  // namespace kpid::notify
