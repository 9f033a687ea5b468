// One group: what is pending in it, when it is due, what its message holds.

#include "alerting/dispatch_group.h"

#include "kpid/base/hash.h"
#include "kpid/model/labels.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::alerting {
namespace {

int rank_of(const Alert& alert) {
    return severity_rank(alert.labels.get("severity"));
}

// 128 bits from two differently seeded hashes: the id must never repeat among all messages of a
// lifetime.
std::string notification_id(const DispatchGroup& group) {
    const std::string base = fmt::format("{}\n{}\n{}", group.id, group.epoch.ms(), group.sequence);
    return fmt::format("{:016x}{:016x}", hash_bytes(base), hash_bytes("2\n" + base));
}

struct Pending {
    bool firing = false;  // something fires here that was not told
    bool ended = false;   // an end may be told
    int worst_untold = -1;
    int worst_told = -1;
    bool any_fires = false;  // and belongs here
};

Pending look_at(const DispatchGroup& group, const HeldBack& held_back) {
    Pending pending;
    for (const auto& [identity, entry] : group.entries) {
        const bool untold = entry.telling == Telling::kUntold;
        if (entry.alert.firing()) {
            pending.any_fires = pending.any_fires || !entry.moved;
            pending.firing = pending.firing || untold;
        } else if (!held_back(entry.alert)) {
            pending.ended = true;
        }
        int& worst = untold ? pending.worst_untold : pending.worst_told;
        worst = std::max(worst, rank_of(entry.alert));
    }
    return pending;
}

}  // namespace

int severity_rank(std::string_view severity) {
    constexpr std::pair<std::string_view, int> kRanks[] = {
        {"info", 1},  {"warning", 2},  {"warn", 2}, {"ticket", 2},
        {"error", 3}, {"critical", 4}, {"page", 4}, {"emergency", 5},
    };
    for (const auto& [name, rank] : kRanks) {
        if (severity == name) {
            return rank;
        }
    }
    return 0;
}

std::string_view to_string(NotifyReason reason) {
    switch (reason) {
        case NotifyReason::kFirst:
            return "first";
        case NotifyReason::kChange:
            return "change";
        case NotifyReason::kEscalation:
            return "escalation";
        case NotifyReason::kAllClear:
            return "all_clear";
        case NotifyReason::kRepeat:
            break;
    }
    return "repeat";
}

std::string group_id_of(std::string_view receiver, std::string_view group_key) {
    return fmt::format("{}{}", model::quote_label_value(receiver), group_key);
}

void DispatchGroup::pace_by(const ResolvedRoute& route) {
    group_wait = route.group_wait;
    group_interval = route.group_interval;
    repeat_interval = route.repeat_interval;
    immediate = route.immediate;
}

Timestamp DispatchGroup::paced(Timestamp from) const {
    const Timestamp next = *last_told + group_interval;
    const bool ticks = !immediate.escalation && !immediate.all_clear;
    if (!ticks || group_interval <= Duration::zero() || from <= next) {
        return std::max(from, next);
    }
    const Duration since_tick = (from - next) % group_interval;
    return since_tick == Duration::zero() ? from : from + (group_interval - since_tick);
}

std::optional<GroupDue> DispatchGroup::due(const HeldBack& held_back) const {
    if (!in_flight.empty()) {
        return std::nullopt;
    }
    const Pending pending = look_at(*this, held_back);
    if (pending.firing || pending.ended) {
        const Timestamp since = waiting_since.value_or(epoch);
        if (!pending.any_fires && immediate.all_clear) {
            return GroupDue{since, NotifyReason::kAllClear};
        }
        if (!last_told) {
            return GroupDue{since + group_wait, NotifyReason::kFirst};
        }
        if (pending.firing && pending.worst_untold > pending.worst_told) {
            return GroupDue{immediate.escalation ? since : paced(since), NotifyReason::kEscalation};
        }
        return GroupDue{paced(since),
                        pending.any_fires ? NotifyReason::kChange : NotifyReason::kAllClear};
    }
    if (pending.any_fires && last_told && repeat_interval > Duration::zero()) {
        // A repetition sooner than group_interval would be a message more often than is allowed.
        return GroupDue{paced(*last_told + repeat_interval), NotifyReason::kRepeat};
    }
    return std::nullopt;
}

void DispatchGroup::update_waiting(Timestamp now, const HeldBack& held_back) {
    const Pending pending = look_at(*this, held_back);
    if (!pending.firing && !pending.ended) {
        waiting_since.reset();
    } else if (!waiting_since) {
        waiting_since = now;
    }
}

bool DispatchGroup::holds_ends(const HeldBack& held_back) const {
    return std::any_of(entries.begin(), entries.end(), [&](const auto& item) {
        return !item.second.alert.firing() && held_back(item.second.alert);
    });
}

GroupNotification DispatchGroup::take(Timestamp now, NotifyReason reason,
                                      const HeldBack& held_back) {
    ++sequence;
    GroupNotification notification;
    notification.id = notification_id(*this);
    notification.group_id = id;
    notification.group_key = key;
    notification.receiver = receiver;
    notification.group_labels = labels;
    notification.reason = reason;
    notification.sequence = sequence;
    notification.alerts_refused = std::exchange(refused, 0);
    std::vector<Alert> ended;
    for (auto it = entries.begin(); it != entries.end();) {
        GroupEntry& entry = it->second;
        if (entry.alert.firing()) {
            if (!entry.moved) {
                notification.alerts.push_back(entry.alert);
            }
            if (entry.telling == Telling::kUntold) {
                entry.telling = Telling::kInFlight;
            }
            ++it;
        } else if (held_back(entry.alert)) {
            ++it;
        } else {
            ended.push_back(std::move(entry.alert));
            it = entries.erase(it);
        }
    }
    std::stable_sort(notification.alerts.begin(), notification.alerts.end(),
                     [](const Alert& a, const Alert& b) { return rank_of(a) > rank_of(b); });
    // With nothing left that the receiver knows of, what comes next starts the group anew.
    const bool clear = entries.empty();
    std::move(ended.begin(), ended.end(), std::back_inserter(notification.alerts));
    in_flight = notification.id;
    last_told = clear ? std::optional<Timestamp>() : now;
    waiting_since.reset();
    return notification;
}

bool DispatchGroup::settle(std::string_view notification_id, bool delivered) {
    if (in_flight.empty() || in_flight != notification_id) {
        return false;
    }
    in_flight.clear();
    for (auto& [identity, entry] : entries) {
        if (entry.telling == Telling::kInFlight) {
            entry.telling = delivered ? Telling::kDelivered : Telling::kGivenUp;
        }
    }
    return true;
}

void DispatchGroup::clock_went_back(Timestamp now) {
    if (last_told) {
        last_told = std::min(*last_told, now);
    }
    if (waiting_since) {
        waiting_since = std::min(*waiting_since, now);
    }
}

}  // namespace kpid::alerting
