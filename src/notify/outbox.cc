// The notifier's outbox: from due notifications to settled messages. All with the mutex held.
#include "kpid/alerting/webhook_body.h"
#include "notify/notifier.h"
#include "notify/state_keys.h"
#include "notify/stored_group.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace kpid::notify {
namespace {

bool fires(const alerting::Alert& alert) {
    return alert.firing();
}

std::vector<MessageAlert> alerts_of(const alerting::GroupNotification& notification) {
    std::vector<MessageAlert> alerts;
    alerts.reserve(notification.alerts.size());
    for (const alerting::Alert& alert : notification.alerts) {
        alerts.push_back({alert.fingerprint(), alert.firing() ? "firing" : "resolved",
                          std::string(alert.labels.get("alertname"))});
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

// A body that the state store can take: beyond the bound it tells fewer alerts and counts the rest.
std::string bounded_body(const alerting::GroupNotification& notification,
                         alerting::WebhookContext context) {
    std::string body = alerting::webhook_body(notification, context);
    std::size_t alerts = notification.alerts.size();
    if (context.max_alerts > 0) {
        alerts = std::min(alerts, context.max_alerts);
    }
    while (body.size() > Notifier::kBodyBytesMax && alerts > 1) {
        alerts /= 2;
        context.max_alerts = alerts;
        body = alerting::webhook_body(notification, context);
    }
    return body;
}

alerting::WebhookContext body_context(const config::Config& config, const std::string& receiver) {
    return {.receiver = receiver,
            .external_url = config.global.external_url,
            .external_labels = config.global.external_labels};
}

}  // namespace

void Notifier::commit_or_log(Timestamp now) {
    if (const Result<void> committed = commit(now); !committed) {
        log_.error("the outbox could not be written", {{"error", committed.error().message}});
    }
}

// Makes what is due, writes all that changed together with `also`, then lets go what was written.
Result<void> Notifier::commit(Timestamp now, std::span<const model::StateWrite> also) {
    take_due(now);
    take_dirty_groups();
    std::vector<model::StateWrite> writes(also.begin(), also.end());
    for (const auto& [key, value] : unsaved_) {
        const bool is_newer_in_also = std::any_of(
            also.begin(), also.end(),
            [&taken = key](const model::StateWrite& write) { return write.key == taken; });
        if (!is_newer_in_also) {
            writes.push_back({key, value});
        }
    }
    const Result<void> written = writes.empty() ? Result<void>() : store_.write(writes);
    if (written) {
        unsaved_.clear();
        store_behind_ = false;
        hand_over_unsaved_alerts(now);
        release_saved();
    } else {
        metrics_.store_failures.Increment();
        // What the store will never take must not stand in the way of everything else.
        if (written.error().code != Code::kInvalidArgument) {
            for (const model::StateWrite& write : also) {
                unsaved_[write.key] = write.value;
            }
        }
        store_behind_ = true;
    }
    arm(now);
    return written;
}

// Settling at once (the inbox, receivers without webhooks) may make the next message due.
void Notifier::take_due(Timestamp now) {
    for (;;) {
        const std::vector<alerting::GroupNotification> due = dispatcher_.take_due(now);
        if (due.empty()) {
            break;
        }
        for (const alerting::GroupNotification& notification : due) {
            const bool delivered = add_messages(notification, now);
            if (!tallies_.contains(notification.id)) {
                dispatcher_.on_settled(now, notification.group_id, notification.id, delivered);
            }
        }
    }
    const std::uint64_t refused =
        dispatcher_.alerts_refused_total() + dispatcher_.groups_refused_total();
    metrics_.alerts_refused.Increment(
        static_cast<double>(refused - std::exchange(refused_seen_, refused)));
}

// False when nobody was told who should have been.
bool Notifier::add_messages(const alerting::GroupNotification& notification, Timestamp now) {
    alerting::GroupNotification told = notification;
    if (!config_->alerting.own_receivers_speak()) {
        // Silent receivers still hear the end of what they were told before.
        std::erase_if(told.alerts, fires);
        if (told.alerts.empty()) {
            return true;
        }
    }
    const config::ReceiverConfig* receiver = config_->find_receiver(told.receiver);
    const std::size_t webhooks = receiver == nullptr ? 0 : receiver->webhooks.size();
    Message message{.id = told.id,
                    .notification_id = told.id,
                    .group_id = told.group_id,
                    .receiver = told.receiver,
                    .created = now,
                    .alerts = alerts_of(told),
                    .cause_accepted_at = cause_of(told)};
    const bool is_inbox = told.receiver == alerting::kInboxReceiver;
    if (is_inbox) {
        add_to_inbox(told, message, webhooks > 0);
    } else if (receiver == nullptr) {
        refuse(std::move(message), kFailedNoReceiver);
        return false;
    }
    bool all_taken = true;
    for (std::size_t i = 0; i < webhooks; ++i) {
        Message copy = message;
        copy.webhook = i;
        if (i > 0) {
            copy.id += "-" + std::to_string(i);
        }
        all_taken = add_to_webhook(told, std::move(copy), receiver->webhooks[i]) && all_taken;
    }
    return all_taken || is_inbox;
}

void Notifier::add_to_inbox(const alerting::GroupNotification& notification, Message message,
                            bool has_webhooks) {
    if (has_webhooks) {
        message.id += "-inbox";
    }
    message.body = bounded_body(notification, body_context(*config_, message.receiver));
    if (message.body.size() > kBodyBytesMax) {
        message.body.clear();
    }
    message.state = MessageState::kDelivered;
    metrics_.notifications.Add({{"receiver", message.receiver}}).Increment();
    remember(std::move(message));
}

// False when there was no room for it.
bool Notifier::add_to_webhook(const alerting::GroupNotification& notification, Message message,
                              const config::WebhookConfig& webhook) {
    alerting::WebhookContext context = body_context(*config_, message.receiver);
    context.max_alerts = static_cast<std::size_t>(webhook.max_alerts);
    if (webhook.send_resolved) {
        message.body = bounded_body(notification, context);
    } else {
        alerting::GroupNotification firing = notification;
        std::erase_if(firing.alerts, std::not_fn(fires));
        if (firing.alerts.empty()) {
            return true;
        }
        message.alerts = alerts_of(firing);
        message.body = bounded_body(firing, context);
    }
    if (message.body.size() > kBodyBytesMax) {
        message.body.clear();
        refuse(std::move(message), kFailedTooLarge);
        return false;
    }
    if (outbox_.size() >= kOutboxMax) {
        refuse(std::move(message), kFailedOutboxFull);
        return false;
    }
    add_message(std::move(message));
    return true;
}

void Notifier::refuse(Message message, const char* reason) {
    log_.error("a message was dropped",
               {{"receiver", message.receiver}, {"group", message.group_id}, {"reason", reason}});
    metrics_.failed.Add({{"receiver", message.receiver}, {"reason", reason}}).Increment();
    message.state = MessageState::kDropped;
    remember(std::move(message));
}

void Notifier::add_message(Message message) {
    const std::string id = message.id;
    save(message);
    unsaved_messages_.push_back(id);
    update_pending(message.receiver, 1);
    ++tallies_[message.notification_id].pending;
    outbox_[id] = {.message = std::move(message), .turn = next_turn_++};
}

void Notifier::save(const Message& message) {
    unsaved_[outbox_key(message.id)] = encode_message(message);
}

void Notifier::update_pending(const std::string& receiver, std::ptrdiff_t change) {
    std::ptrdiff_t& count = pending_counts_[receiver];
    count += change;
    metrics_.pending.Add({{"receiver", receiver}}).Set(static_cast<double>(count));
}

void Notifier::settle(Message message, MessageState state, const char* reason, Timestamp now) {
    outbox_.erase(message.id);
    unsaved_[outbox_key(message.id)] = std::nullopt;
    update_pending(message.receiver, -1);
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
    const auto found = tallies_.find(message.notification_id);
    if (found == tallies_.end()) {
        return;
    }
    Tally& tally = found->second;
    tally.delivered = tally.delivered || delivered;
    if (--tally.pending > 0) {
        return;
    }
    const bool any_delivered = tally.delivered;
    tallies_.erase(found);
    dispatcher_.on_settled(now, message.group_id, message.notification_id, any_delivered);
}

void Notifier::remember(Message message) {
    std::deque<Message>& settled = history_[message.receiver];
    unsaved_[history_key(message)] = encode_message(message);
    settled.push_back(std::move(message));
    while (settled.size() > kHistoryMax) {
        unsaved_[history_key(settled.front())] = std::nullopt;
        settled.pop_front();
    }
}

void Notifier::take_dirty_groups() {
    for (const auto& [group_id, state] : dispatcher_.take_dirty()) {
        const auto found = group_parts_.find(group_id);
        const std::size_t before = found == group_parts_.end() ? 0 : found->second;
        GroupWrites group = write_stored_group(group_id, state, before);
        for (model::StateWrite& write : group.writes) {
            unsaved_[write.key] = std::move(write.value);
        }
        if (group.parts > 0) {
            group_parts_[group_id] = group.parts;
        } else if (found != group_parts_.end()) {
            group_parts_.erase(found);
        }
    }
}

void Notifier::release_saved() {
    std::set<std::string> receivers;
    for (const std::string& id : std::exchange(unsaved_messages_, {})) {
        const auto found = outbox_.find(id);
        if (found != outbox_.end() && found->second.step == Step::kUnsaved) {
            make_ready(found->second);
            receivers.insert(found->second.message.receiver);
        }
    }
    for (const std::string& receiver : receivers) {
        pump(receiver);
    }
}

void Notifier::arm(Timestamp now) {
    std::optional<Timestamp> next = dispatcher_.next_wakeup();
    if (store_behind_ || !unsaved_.empty()) {
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
    for (const auto& [id, pending] : outbox_) {
        if (webhook_of(pending.message) == nullptr) {
            orphans.push_back(pending.message);
        }
    }
    for (Message& message : orphans) {
        settle(std::move(message), MessageState::kDropped, kFailedNoReceiver, now);
    }
}

}  // namespace kpid::notify
