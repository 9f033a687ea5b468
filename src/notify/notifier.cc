// The notifier's life: start, reconfigure, submit, views, stop.
#include "notify/notifier.h"

#include "notify/state_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace kpid::notify {

Notifier::Notifier(const net::Strand& strand, NotifierDependencies dependencies)
    : store_(dependencies.store),
      client_(dependencies.client),
      timers_(dependencies.timers),
      workers_(dependencies.workers),
      log_(dependencies.log),
      metrics_(dependencies.registry),
      alertmanagers_(strand, dependencies.client, dependencies.timers, dependencies.workers,
                     metrics_, dependencies.log),
      random_(dependencies.seed),
      tasks_(strand, dependencies.log) {
}

Notifier::~Notifier() = default;

Result<void> Notifier::start(const std::shared_ptr<const config::Config>& config) {
    const MutexLock lock(mutex_);
    const Timestamp now = timers_.clock().wall_now();
    config_ = config;
    dispatcher_ = alerting::Dispatcher(config->alerting.routes);
    apply_receivers(*config);
    KPID_CHECK_OK(restore_messages());
    KPID_CHECK_OK(restore_history());
    KPID_CHECK_OK(restore_groups(now));
    drop_orphans(now);
    commit_or_log(now);
    alertmanagers_.start();
    return {};
}

void Notifier::reconfigure(const std::shared_ptr<const config::Config>& config) {
    const MutexLock lock(mutex_);
    const Timestamp now = timers_.clock().wall_now();
    const bool was_silent = !config_->alerting.own_receivers_speak();
    config_ = config;
    apply_receivers(*config);
    dispatcher_.reconfigure(now, config->alerting.routes);
    drop_orphans(now);
    if (was_silent && config->alerting.own_receivers_speak()) {
        // What began while only Alertmanagers were told.
        dispatcher_.submit(now, alertmanagers_.firing());
    }
    commit_or_log(now);
}

void Notifier::apply_receivers(const config::Config& config) {
    metrics_.add_receiver(std::string(alerting::kInboxReceiver));
    for (const config::ReceiverConfig& receiver : config.alerting.receivers) {
        metrics_.add_receiver(receiver.name);
    }
    alertmanagers_.reconfigure(config);
}

Result<void> Notifier::submit(Timestamp, std::span<const alerting::Alert> alerts,
                              std::span<const model::StateWrite> also) {
    // State alone waits for nobody else's write. It may not pass older state that waits.
    if (alerts.empty() && !store_behind_) {
        if (also.empty()) {
            return {};
        }
        const Result<void> written = store_.write(also);
        if (written || written.error().code == Code::kInvalidArgument) {
            return written;
        }
    }
    const MutexLock lock(mutex_);
    // Not the caller's instant: seen from here, those of several callers go back and forth.
    const Timestamp now = timers_.clock().wall_now();
    if (config_->alerting.own_receivers_speak()) {
        dispatcher_.submit(now, alerts);
    } else {
        std::vector<alerting::Alert> ended;
        std::copy_if(alerts.begin(), alerts.end(), std::back_inserter(ended),
                     [](const alerting::Alert& alert) { return !alert.firing(); });
        dispatcher_.submit(now, ended);
    }
    const bool behind = store_behind_;
    if (behind) {
        // Older states of the same alerts may wait: these come after them.
        for (const alerting::Alert& alert : alerts) {
            unsaved_alerts_.insert_or_assign(alert.fingerprint(), alert);
        }
    }
    const Result<void> committed = commit(now, also);
    if (!committed && !behind) {
        for (const alerting::Alert& alert : alerts) {
            unsaved_alerts_.insert_or_assign(alert.fingerprint(), alert);
        }
    } else if (committed && !behind && !alerts.empty()) {
        alertmanagers_.submit(now, alerts);
    }
    return committed;
}

void Notifier::hand_over_unsaved_alerts(Timestamp now) {
    if (unsaved_alerts_.empty()) {
        return;
    }
    std::vector<alerting::Alert> alerts;
    for (auto& [fingerprint, alert] : std::exchange(unsaved_alerts_, {})) {
        alerts.push_back(std::move(alert));
    }
    alertmanagers_.submit(now, alerts);
}

std::vector<Message> Notifier::list(const Filter& filter) const {
    const auto fits = [&](const Message& message) {
        return (filter.receiver.empty() || filter.receiver == message.receiver) &&
               (!filter.state || *filter.state == message.state);
    };
    const auto newest_first = [](const Message& a, const Message& b) {
        return a.created != b.created ? a.created > b.created : a.id > b.id;
    };
    std::vector<Message> messages;
    const MutexLock lock(mutex_);
    for (const auto& [id, pending] : outbox_) {
        if (fits(pending.message)) {
            messages.push_back(pending.message);
        }
    }
    const auto pending = static_cast<std::ptrdiff_t>(messages.size());
    for (const auto& [receiver, settled] : history_) {
        std::copy_if(settled.begin(), settled.end(), std::back_inserter(messages), fits);
    }
    std::sort(messages.begin(), messages.begin() + pending, newest_first);
    std::sort(messages.begin() + pending, messages.end(), newest_first);
    return messages;
}

Result<void> Notifier::retry(const std::string& id) {
    const MutexLock lock(mutex_);
    const Timestamp now = timers_.clock().wall_now();
    if (const auto found = outbox_.find(id); found != outbox_.end()) {
        if (found->second.step == Step::kWaiting) {
            make_ready(found->second);
            pump(found->second.message.receiver);
        }
        return {};
    }
    for (auto& [receiver, settled] : history_) {
        const auto found = std::find_if(settled.begin(), settled.end(),
                                        [&](const Message& message) { return message.id == id; });
        if (found == settled.end()) {
            continue;
        }
        if (found->state == MessageState::kDelivered) {
            return Error{Code::kConflict, fmt::format("message {} was delivered", id)};
        }
        if (found->body.empty()) {
            return Error{Code::kConflict, fmt::format("the text of message {} was not kept", id)};
        }
        if (webhook_of(*found) == nullptr) {
            return Error{Code::kConflict,
                         fmt::format("the receiver \"{}\" of message {} is gone", receiver, id)};
        }
        Message message = std::move(*found);
        settled.erase(found);
        return put_back(std::move(message), now);
    }
    return not_found(fmt::format("no message has the id \"{}\"", id));
}

Result<void> Notifier::put_back(Message message, Timestamp now) {
    if (outbox_.size() >= kOutboxMax) {
        history_[message.receiver].push_back(std::move(message));
        return resource_exhausted("the outbox is full");
    }
    unsaved_[history_key(message)] = std::nullopt;
    message.state = MessageState::kPending;
    message.tried_since.reset();
    message.attempt_count = 0;
    add_message(std::move(message));
    return commit(now);
}

Result<void> Notifier::drop(const std::string& id) {
    const MutexLock lock(mutex_);
    const Timestamp now = timers_.clock().wall_now();
    const auto found = outbox_.find(id);
    if (found == outbox_.end()) {
        return not_found(fmt::format("no pending message has the id \"{}\"", id));
    }
    settle(found->second.message, MessageState::kDropped, kFailedDropped, now);
    return commit(now);
}

void Notifier::stop() {
    alertmanagers_.stop();
    tasks_.stop();
}

net::Task<bool> Notifier::join(MonoTime deadline) {
    const bool own = co_await tasks_.join(timers_, deadline);
    const bool others = co_await alertmanagers_.join(deadline);
    co_return own&& others;
}

}  // namespace kpid::notify
