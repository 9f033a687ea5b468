// The notifier's life: start, reconfigure, submit, views, stop.
#include "notify/notifier.h"

#include "notify/state_keys.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::notify {

Notifier::Notifier(net::Strand strand, NotifierDependencies dependencies)
    : store_(dependencies.store),
      client_(dependencies.client),
      timers_(dependencies.timers),
      workers_(dependencies.workers),
      log_(dependencies.log),
      metrics_(dependencies.registry),
      alertmanagers_(strand, dependencies.client, dependencies.timers, metrics_, dependencies.log),
      random_(dependencies.seed),
      tasks_(strand, dependencies.log) {
}

Notifier::~Notifier() = default;

Result<void> Notifier::start(std::shared_ptr<const config::Config> config) {
    const Timestamp now = timers_.clock().wall_now();
    {
        const MutexLock lock(mutex_);
        config_ = config;
        dispatcher_ = alerting::Dispatcher(config->alerting.routes);
        metrics_.add_receiver(std::string(alerting::kInboxReceiver));
        for (const config::ReceiverConfig& receiver : config->alerting.receivers) {
            metrics_.add_receiver(receiver.name);
        }
        KPID_CHECK_OK(restore_messages(now));
        KPID_CHECK_OK(restore_groups(now));
        drop_orphans(now);
        take_due(now);
        const Result<void> flushed = flush({});
        if (!flushed) {
            log_.error("the outbox could not be written", {{"error", flushed.error().message}});
        }
        arm(now);
    }
    alertmanagers_.reconfigure(*config);
    alertmanagers_.start();
    return {};
}

void Notifier::reconfigure(std::shared_ptr<const config::Config> config) {
    const Timestamp now = timers_.clock().wall_now();
    {
        const MutexLock lock(mutex_);
        config_ = config;
        for (const config::ReceiverConfig& receiver : config->alerting.receivers) {
            metrics_.add_receiver(receiver.name);
        }
        dispatcher_.reconfigure(now, config->alerting.routes);
        drop_orphans(now);
        take_due(now);
        const Result<void> flushed = flush({});
        if (!flushed) {
            log_.error("the outbox could not be written", {{"error", flushed.error().message}});
        }
        arm(now);
    }
    alertmanagers_.reconfigure(*config);
}

Result<void> Notifier::submit(Timestamp now, std::span<const alerting::Alert> alerts,
                              std::span<const model::StateWrite> also) {
    {
        const MutexLock lock(mutex_);
        if (config_->alerting.own_receivers_speak()) {
            dispatcher_.submit(now, alerts);
        } else {
            // Silent receivers are still told the end of what they were told.
            std::vector<alerting::Alert> ended;
            std::copy_if(alerts.begin(), alerts.end(), std::back_inserter(ended),
                         [](const alerting::Alert& alert) { return !alert.firing(); });
            dispatcher_.submit(now, ended);
        }
        take_due(now);
        const Result<void> flushed = flush(also);
        arm(now);
        if (!flushed) {
            return flushed.error();
        }
    }
    if (!alerts.empty()) {
        alertmanagers_.submit(now, alerts);
    }
    return {};
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
    for (const auto& [id, message] : outbox_) {
        if (fits(message)) {
            messages.push_back(message);
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
    const Timestamp now = timers_.clock().wall_now();
    const MutexLock lock(mutex_);
    if (outbox_.contains(id)) {
        const std::string receiver = outbox_.at(id).receiver;
        auto& ready = ready_[receiver];
        if (std::find(ready.begin(), ready.end(), id) == ready.end()) {
            ready.push_back(id);
        }
        pump(receiver);
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
        Message message = std::move(*found);
        settled.erase(found);
        unsaved_[history_key(message)] = std::nullopt;
        message.state = MessageState::kPending;
        message.created = now;
        add_message(std::move(message));
        return flush({});
    }
    return not_found(fmt::format("no message has the id \"{}\"", id));
}

Result<void> Notifier::drop(const std::string& id) {
    const Timestamp now = timers_.clock().wall_now();
    const MutexLock lock(mutex_);
    const auto found = outbox_.find(id);
    if (found == outbox_.end()) {
        return not_found(fmt::format("no pending message has the id \"{}\"", id));
    }
    settle(found->second, MessageState::kDropped, kFailedDropped, now);
    take_due(now);
    const Result<void> flushed = flush({});
    arm(now);
    return flushed;
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
