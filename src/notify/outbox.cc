// The notifier's outbox: from due notifications to settled messages. All with the mutex held.
#include "kpid/alerting/webhook_body.h"
#include "notify/notifier.h"
#include "notify/state_keys.h"

#include <algorithm>
#include <utility>

namespace kpid::notify {
namespace {

constexpr std::size_t kStoredMax = 10'000'000;

std::vector<MessageAlert> alerts_of(const alerting::GroupNotification& notification) {
    std::vector<MessageAlert> alerts;
    alerts.reserve(notification.alerts.size());
    for (const alerting::Alert& alert : notification.alerts) {
        alerts.push_back({alert.fingerprint(), alert.firing() ? "firing" : "resolved"});
    }
    return alerts;
}

// The oldest cause among the alerts: what has waited longest.
MonoTime cause_of(const alerting::GroupNotification& notification) {
    MonoTime oldest{};
    for (const alerting::Alert& alert : notification.alerts) {
        const MonoTime cause = alert.cause_accepted_at;
        if (cause != MonoTime{} && (oldest == MonoTime{} || cause < oldest)) {
            oldest = cause;
        }
    }
    // A repeat is not late: its cause was told before.
    return notification.reason == alerting::NotifyReason::kRepeat ? MonoTime{} : oldest;
}

bool any_firing(const alerting::GroupNotification& notification) {
    return std::any_of(notification.alerts.begin(), notification.alerts.end(),
                       [](const alerting::Alert& alert) { return alert.firing(); });
}

}  // namespace

// Settling at once (the inbox, receivers without webhooks) may make the next message due.
void Notifier::take_due(Timestamp now) {
    for (;;) {
        std::vector<alerting::GroupNotification> due = dispatcher_.take_due(now);
        if (due.empty()) {
            break;
        }
        for (alerting::GroupNotification& notification : due) {
            add_messages(notification, now);
        }
    }
    const std::uint64_t refused = dispatcher_.alerts_refused_total();
    metrics_.alerts_refused.Increment(
        static_cast<double>(refused - std::exchange(refused_seen_, refused)));
}

void Notifier::add_messages(alerting::GroupNotification& notification, Timestamp now) {
    const std::string& receiver_name = notification.receiver;
    const config::ReceiverConfig* receiver = config_->find_receiver(receiver_name);
    Message message{.id = notification.id,
                    .notification_id = notification.id,
                    .group_id = notification.group_id,
                    .receiver = receiver_name,
                    .created = now,
                    .alerts = alerts_of(notification),
                    .cause_accepted_at = cause_of(notification)};
    alerting::WebhookContext context{.receiver = receiver_name,
                                     .external_url = config_->global.external_url,
                                     .external_labels = config_->global.external_labels};
    if (receiver_name == alerting::kInboxReceiver) {
        message.body = alerting::webhook_body(notification, context);
        message.state = MessageState::kDelivered;
        metrics_.notifications.Add({{"receiver", receiver_name}}).Increment();
        remember(message);
    }
    std::size_t sent = 0;
    const std::size_t webhooks = receiver == nullptr ? 0 : receiver->webhooks.size();
    for (std::size_t i = 0; i < webhooks; ++i) {
        const config::WebhookConfig& webhook = receiver->webhooks[i];
        if (!webhook.send_resolved && !any_firing(notification)) {
            continue;
        }
        Message copy = message;
        copy.state = MessageState::kPending;
        copy.webhook = i;
        copy.id = i == 0 ? notification.id : notification.id + "-" + std::to_string(i);
        context.max_alerts = static_cast<std::size_t>(webhook.max_alerts);
        copy.body = alerting::webhook_body(notification, context);
        if (outbox_.size() >= kOutboxMax) {
            log_.error("the outbox is full, a message is dropped",
                       {{"receiver", receiver_name}, {"group", notification.group_key}});
            metrics_.failed.Add({{"receiver", receiver_name}, {"reason", kFailedOutboxFull}})
                .Increment();
            copy.state = MessageState::kDropped;
            remember(std::move(copy));
            continue;
        }
        add_message(std::move(copy));
        ++sent;
    }
    if (sent == 0) {
        dispatcher_.on_settled(now, notification.group_id, notification.id, true);
    }
}

void Notifier::add_message(Message message) {
    const std::string id = message.id;
    save(message);
    unsaved_messages_.push_back(id);
    ++pending_counts_[message.receiver];
    update_pending(message.receiver);
    outbox_[id] = std::move(message);
}

void Notifier::save(const Message& message) {
    unsaved_[outbox_key(message.id)] = encode_message(message);
}

void Notifier::update_pending(const std::string& receiver) {
    metrics_.pending.Add({{"receiver", receiver}})
        .Set(static_cast<double>(pending_counts_[receiver]));
}

void Notifier::settle(Message message, MessageState state, const char* reason, Timestamp now) {
    outbox_.erase(message.id);
    unsaved_[outbox_key(message.id)] = std::nullopt;
    --pending_counts_[message.receiver];
    update_pending(message.receiver);
    auto& ready = ready_[message.receiver];
    std::erase(ready, message.id);
    message.state = state;
    const bool delivered = state == MessageState::kDelivered;
    if (delivered) {
        metrics_.notifications.Add({{"receiver", message.receiver}}).Increment();
        message.body.clear();
    } else {
        metrics_.failed.Add({{"receiver", message.receiver}, {"reason", reason}}).Increment();
        log_.error("a message was given up", {{"receiver", message.receiver},
                                              {"id", message.id},
                                              {"reason", reason},
                                              {"attempts", std::to_string(message.attempt_count)}});
    }
    settle_notification(message, delivered, now);
    remember(std::move(message));
}

// A notification is settled when all of its receiver's webhooks are; it was delivered when one took
// it.
void Notifier::settle_notification(const Message& message, bool delivered, Timestamp now) {
    const bool others_pending = std::any_of(outbox_.begin(), outbox_.end(), [&](const auto& entry) {
        return entry.second.notification_id == message.notification_id;
    });
    if (others_pending) {
        return;
    }
    const std::deque<Message>& settled = history_[message.receiver];
    const bool any_delivered =
        delivered || std::any_of(settled.begin(), settled.end(), [&](const Message& other) {
            return other.notification_id == message.notification_id &&
                   other.state == MessageState::kDelivered;
        });
    dispatcher_.on_settled(now, message.group_id, message.notification_id, any_delivered);
}

void Notifier::remember(Message message) {
    std::deque<Message>& settled = history_[message.receiver];
    unsaved_[history_key(message)] = encode_message(message);
    settled.push_back(std::move(message));
    if (settled.size() > kHistoryMax) {
        unsaved_[history_key(settled.front())] = std::nullopt;
        settled.pop_front();
    }
}

Result<void> Notifier::flush(std::span<const model::StateWrite> also) {
    for (auto& [group_id, state] : dispatcher_.take_dirty()) {
        unsaved_[std::string(kGroupPrefix) + group_id] = std::move(state);
    }
    std::vector<model::StateWrite> writes(also.begin(), also.end());
    for (const auto& [key, value] : unsaved_) {
        writes.push_back({key, value});
    }
    if (writes.empty()) {
        return {};
    }
    const Result<void> written = store_.write(writes);
    if (!written) {
        metrics_.store_failures.Increment();
        return written;
    }
    unsaved_.clear();
    std::set<std::string> receivers;
    for (const std::string& id : std::exchange(unsaved_messages_, {})) {
        const auto found = outbox_.find(id);
        if (found != outbox_.end()) {
            ready_[found->second.receiver].push_back(id);
            receivers.insert(found->second.receiver);
        }
    }
    for (const std::string& receiver : receivers) {
        pump(receiver);
    }
    return {};
}

void Notifier::arm(Timestamp now) {
    std::optional<Timestamp> next = dispatcher_.next_wakeup();
    if (!unsaved_.empty()) {
        next = std::min(next.value_or(Timestamp::max()), now + kStoreRetry);
    }
    if (!next) {
        return;
    }
    const Timestamp when = std::clamp(*next, now, now + kWakeMax);
    if (!armed_.empty() && *armed_.begin() <= when) {
        return;
    }
    if (tasks_.spawn("notify wake", wake(when, timers_.after(when - now)))) {
        armed_.insert(when);
    }
}

const config::WebhookConfig* Notifier::webhook_of(const Message& message) const {
    const config::ReceiverConfig* receiver = config_->find_receiver(message.receiver);
    return receiver != nullptr && message.webhook < receiver->webhooks.size()
               ? &receiver->webhooks[message.webhook]
               : nullptr;
}

void Notifier::drop_orphans(Timestamp now) {
    std::vector<Message> orphans;
    for (const auto& [id, message] : outbox_) {
        if (webhook_of(message) == nullptr) {
            orphans.push_back(message);
        }
    }
    for (Message& message : orphans) {
        settle(std::move(message), MessageState::kDropped, kFailedNoReceiver, now);
    }
}

Result<void> Notifier::restore_messages(Timestamp) {
    KPID_TRY(auto pending, store_.scan(kOutboxPrefix, kStoredMax));
    for (const auto& [key, json] : pending) {
        Result<Message> message = decode_message(json);
        if (!message) {
            log_.error("a stored message is left out",
                       {{"key", key}, {"error", message.error().message}});
            continue;
        }
        const std::string id = message->id;
        ++pending_counts_[message->receiver];
        update_pending(message->receiver);
        unsaved_messages_.push_back(id);
        save(*message);
        outbox_[id] = std::move(*message);
    }
    KPID_TRY(auto settled, store_.scan(kHistoryPrefix, kStoredMax));
    for (const auto& [key, json] : settled) {
        if (Result<Message> message = decode_message(json)) {
            history_[message->receiver].push_back(std::move(*message));
        }
    }
    return {};
}

Result<void> Notifier::restore_groups(Timestamp now) {
    KPID_TRY(auto stored, store_.scan(kGroupPrefix, kStoredMax));
    for (auto& [key, json] : stored) {
        key.erase(0, kGroupPrefix.size());
    }
    if (const Result<void> restored = dispatcher_.restore(now, stored); !restored) {
        log_.error("some groups could not be restored", {{"error", restored.error().message}});
    }
    for (const alerting::Dispatcher::InFlight& message : dispatcher_.in_flight()) {
        const bool pending = std::any_of(outbox_.begin(), outbox_.end(), [&](const auto& entry) {
            return entry.second.notification_id == message.notification_id;
        });
        if (!pending) {
            dispatcher_.on_settled(now, message.group_id, message.notification_id, true);
        }
    }
    return {};
}

}  // namespace kpid::notify
