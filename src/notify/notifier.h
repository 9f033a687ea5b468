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

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
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
/// attempt's outcome is written before the next step. At least once, in order per group (but for
/// what retry() puts back), with the same webhook-id over attempts and restarts. A write that
/// storage refuses delivers nothing: what it held is kept and written with the next one,
/// kStoreRetry later at the latest.
///
/// Concurrency: one mutex around dispatcher and outbox, held for the write, so that memory and
/// store change in the same order. Whatever takes it may wait for the disk: submit, retry, drop,
/// list, start and reconfigure are for worker threads only. Deliveries run on `strand`, which never
/// takes it: they hand their outcomes to the workers.
///
/// Limits: kOutboxMax messages (a new one beyond it is dropped, counted and logged), kHistoryMax
/// settled ones a receiver, kConcurrency requests at once a receiver, kBodyBytesMax of a body (what
/// is above it is truncated as by `max_alerts`).
class Notifier final : public AlertSink {
public:
    static constexpr std::size_t kOutboxMax = 100'000;
    static constexpr std::size_t kHistoryMax = 500;
    static constexpr std::size_t kConcurrency = 4;
    static constexpr std::size_t kBodyBytesMax = std::size_t{4} << 20U;
    /// The timer looks at least this often, so that a jump of the wall clock does no lasting harm.
    static constexpr Duration kWakeMax = std::chrono::seconds(30);
    static constexpr Duration kStoreRetry = std::chrono::seconds(1);

    Notifier(const net::Strand& strand, NotifierDependencies dependencies);
    ~Notifier() override;

    /// Reads back groups and messages, and goes on delivering. Blocks; once, before anything else.
    [[nodiscard]] Result<void> start(const std::shared_ptr<const config::Config>& config);
    /// New routes and receivers. Messages for a receiver that is gone are dropped, counted and
    /// logged. Blocks.
    void reconfigure(const std::shared_ptr<const config::Config>& config);

    [[nodiscard]] Result<void> submit(Timestamp now, std::span<const alerting::Alert> alerts,
                                      std::span<const model::StateWrite> also) override;

    struct Filter {
        std::string receiver;               ///< Empty: all.
        std::optional<MessageState> state;  ///< Nothing: all.
    };
    /// Pending messages, then settled ones; each newest first.
    [[nodiscard]] std::vector<Message> list(const Filter& filter) const;
    /// Tries a pending message now, or puts a failed or dropped one back, with all its time before
    /// it is given up again. kNotFound, or kConflict when it was delivered or its receiver is gone.
    [[nodiscard]] Result<void> retry(const std::string& id);
    /// Gives a pending message up; the answer to a request that runs does not count any more.
    [[nodiscard]] Result<void> drop(const std::string& id);

    /// Starts no more attempts, cancels those that run; everything is in the outbox.
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

private:
    /// Where a pending message is on its way.
    enum class Step {
        kUnsaved,  // not in the store yet
        kReady,    // in its receiver's queue
        kRunning,  // a request runs
        kWaiting,  // for its next attempt
    };
    struct Pending {
        Message message;
        Step step = Step::kUnsaved;
        std::uint64_t turn = 0;  // of its newest step: what an earlier one still does is void
    };
    /// A place in a receiver's queue; void when the message has taken another turn.
    struct Ticket {
        std::string id;
        std::uint64_t turn = 0;
    };
    /// What the webhooks of one notification made of it so far.
    struct Tally {
        std::size_t pending = 0;
        bool delivered = false;
    };
    /// An attempt that ended.
    struct Attempted {
        Ticket ticket;
        std::string receiver;
        Timestamp started;
        Outcome outcome;
    };

    // notifier.cc
    void apply_receivers(const config::Config& config) KPID_REQUIRES(mutex_);
    void hand_over_unsaved_alerts(Timestamp now) KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> put_back(Message message, Timestamp now) KPID_REQUIRES(mutex_);

    // outbox.cc
    [[nodiscard]] Result<void> commit(Timestamp now, std::span<const model::StateWrite> also = {})
        KPID_REQUIRES(mutex_);
    void commit_or_log(Timestamp now) KPID_REQUIRES(mutex_);
    void take_due(Timestamp now) KPID_REQUIRES(mutex_);
    [[nodiscard]] bool add_messages(const alerting::GroupNotification& notification, Timestamp now)
        KPID_REQUIRES(mutex_);
    void add_to_inbox(const alerting::GroupNotification& notification, Message message,
                      bool has_webhooks) KPID_REQUIRES(mutex_);
    [[nodiscard]] bool add_to_webhook(const alerting::GroupNotification& notification,
                                      Message message, const config::WebhookConfig& webhook)
        KPID_REQUIRES(mutex_);
    void refuse(Message message, const char* reason) KPID_REQUIRES(mutex_);
    void add_message(Message message) KPID_REQUIRES(mutex_);
    void settle(Message message, MessageState state, const char* reason, Timestamp now)
        KPID_REQUIRES(mutex_);
    void settle_notification(const Message& message, bool delivered, Timestamp now)
        KPID_REQUIRES(mutex_);
    void remember(Message message) KPID_REQUIRES(mutex_);
    void save(const Message& message) KPID_REQUIRES(mutex_);
    void update_pending(const std::string& receiver, std::ptrdiff_t change) KPID_REQUIRES(mutex_);
    void take_dirty_groups() KPID_REQUIRES(mutex_);
    void release_saved() KPID_REQUIRES(mutex_);
    void arm(Timestamp now) KPID_REQUIRES(mutex_);
    void drop_orphans(Timestamp now) KPID_REQUIRES(mutex_);
    [[nodiscard]] const config::WebhookConfig* webhook_of(const Message& message) const
        KPID_REQUIRES(mutex_);

    // restore.cc
    [[nodiscard]] Result<void> restore_messages() KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> restore_history() KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> restore_groups(Timestamp now) KPID_REQUIRES(mutex_);

    // delivery.cc: with the mutex held,
    void make_ready(Pending& pending) KPID_REQUIRES(mutex_);
    void pump(const std::string& receiver) KPID_REQUIRES(mutex_);
    void retry_message(Pending& pending, const Attempted& attempted) KPID_REQUIRES(mutex_);
    // without it, on worker threads,
    void on_wake(Timestamp armed_for);
    void on_attempted(const Attempted& attempted);
    void on_retry_due(const Ticket& ticket);
    // on the strand.
    net::Task<> wake(Timestamp armed_for, MonoTime deadline);
    net::Task<> attempt(Message message, config::WebhookConfig webhook, std::uint64_t turn);
    net::Task<> retry_later(Ticket ticket, MonoTime when);
    net::Task<Result<net::HttpClientResponse>> send_once(Message message,
                                                         config::WebhookConfig webhook);

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
    std::map<std::string, Pending> outbox_ KPID_GUARDED_BY(mutex_);               // by id
    std::map<std::string, Tally> tallies_ KPID_GUARDED_BY(mutex_);                // by notification
    std::map<std::string, std::deque<Message>> history_ KPID_GUARDED_BY(mutex_);  // by receiver
    // Per receiver: messages that may be sent now, how many requests run, how many are pending.
    std::map<std::string, std::deque<Ticket>> ready_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::size_t> running_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::ptrdiff_t> pending_counts_ KPID_GUARDED_BY(mutex_);
    std::uint64_t next_turn_ KPID_GUARDED_BY(mutex_) = 1;
    // What is not in the store yet: writes by key, messages that wait for them, and alerts that
    // the Alertmanagers are to hear of afterwards, by fingerprint.
    std::map<std::string, std::optional<std::string>> unsaved_ KPID_GUARDED_BY(mutex_);
    std::vector<std::string> unsaved_messages_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, alerting::Alert> unsaved_alerts_ KPID_GUARDED_BY(mutex_);
    // True from a refused write to the next good one: then nobody may write past unsaved_.
    std::atomic<bool> store_behind_ = false;
    std::map<std::string, std::size_t> group_parts_ KPID_GUARDED_BY(mutex_);  // stored, by group
    std::set<Timestamp> armed_ KPID_GUARDED_BY(mutex_);
    std::mt19937_64 random_ KPID_GUARDED_BY(mutex_);
    std::uint64_t refused_seen_ KPID_GUARDED_BY(mutex_) = 0;

    net::TaskGroup tasks_;
};

}  // namespace kpid::notify
