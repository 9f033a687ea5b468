// What the notifier takes back from the store at its start. All with the mutex held.
#include "notify/notifier.h"
#include "notify/state_keys.h"
#include "notify/stored_group.h"

#include <algorithm>
#include <utility>

namespace kpid::notify {
namespace {

constexpr std::size_t kStoredMax = 10'000'000;

}  // namespace

// The oldest first. They are in the store as they are: nothing is written for them.
Result<void> Notifier::restore_messages() {
    KPID_TRY(auto stored, store_.scan(kOutboxPrefix, kStoredMax));
    std::vector<std::pair<Timestamp, std::string>> order;
    for (const auto& [key, json] : stored) {
        Result<Message> message = decode_message(json);
        if (!message) {
            log_.error("a stored message is left out",
                       {{"key", key}, {"error", message.error().message}});
            continue;
        }
        order.emplace_back(message->created, message->id);
        update_pending(message->receiver, 1);
        ++tallies_[message->notification_id].pending;
        const std::string id = message->id;
        outbox_[id] = {.message = std::move(*message), .turn = next_turn_++};
    }
    std::sort(order.begin(), order.end());
    for (auto& [created, id] : order) {
        unsaved_messages_.push_back(std::move(id));
    }
    return {};
}

Result<void> Notifier::restore_history() {
    KPID_TRY(auto stored, store_.scan(kHistoryPrefix, kStoredMax));
    for (const auto& [key, json] : stored) {
        Result<Message> message = decode_message(json);
        if (!message) {
            log_.warn("a stored notification is not shown any more",
                      {{"key", key}, {"error", message.error().message}});
            unsaved_[key] = std::nullopt;
            continue;
        }
        const auto tally = tallies_.find(message->notification_id);
        if (tally != tallies_.end() && message->state == MessageState::kDelivered) {
            tally->second.delivered = true;
        }
        std::deque<Message>& settled = history_[message->receiver];
        settled.push_back(std::move(*message));
        if (settled.size() > kHistoryMax) {
            unsaved_[history_key(settled.front())] = std::nullopt;
            settled.pop_front();
        }
    }
    return {};
}

Result<void> Notifier::restore_groups(Timestamp now) {
    KPID_TRY(const auto entries, store_.scan(kGroupPrefix, kStoredMax));
    StoredGroups stored = read_stored_groups(entries);
    for (const std::string& key : stored.damaged) {
        log_.error("a stored group is left out", {{"key", key}});
    }
    group_parts_ = std::move(stored.parts);
    if (const Result<void> restored = dispatcher_.restore(now, stored.states); !restored) {
        log_.error("some groups could not be restored", {{"error", restored.error().message}});
    }
    for (const alerting::Dispatcher::InFlight& message : dispatcher_.in_flight()) {
        // Only when its message did not read: nobody knows whether it was told.
        if (!tallies_.contains(message.notification_id)) {
            dispatcher_.on_settled(now, message.group_id, message.notification_id, false);
        }
    }
    return {};
}

}  // namespace kpid::notify
