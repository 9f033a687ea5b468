#pragma once
// One group of the dispatcher: its alerts, what its receiver was told, and when it speaks next.

#include "kpid/alerting/dispatcher.h"

#include <functional>
#include <map>

namespace kpid::alerting {

/// How far the news that an alert fires has come.
enum class Telling {
    kUntold,
    kInFlight,  ///< In the group's message that is not settled.
    kDelivered,
    kGivenUp,
};

struct GroupEntry {
    Alert alert;
    Telling telling = Telling::kUntold;
    /// It belongs to another group by now; here only its end is told.
    bool moved = false;
};

/// When a group speaks next, and why. Nothing: it has nothing to say.
struct GroupDue {
    Timestamp at;
    NotifyReason reason = NotifyReason::kFirst;
};

/// True when the end of this alert may not be told yet.
using HeldBack = std::function<bool(const Alert& ended)>;

struct DispatchGroup {
    // Constant after construction.
    std::string id;
    std::string route_id;
    std::string key;
    std::string receiver;
    model::Labels labels;
    /// When it was made: tells it from an earlier group of the same name.
    Timestamp epoch;

    // Of the route; changes with it.
    Duration group_wait{};
    Duration group_interval{};
    Duration repeat_interval{};
    Immediate immediate;

    std::uint64_t sequence = 0;
    /// The last message; nothing before the first one and after an all-clear: then group_wait
    /// counts.
    std::optional<Timestamp> last_told;
    /// Since when there is something to tell, before the first message.
    std::optional<Timestamp> waiting_since;
    /// The id of the message in flight; empty when there is none.
    std::string in_flight;
    std::size_t refused = 0;
    std::map<model::Labels, GroupEntry> entries;  // by identity: the order of a message

    /// Takes pacing from a route.
    void pace_by(const ResolvedRoute& route);
    [[nodiscard]] std::optional<GroupDue> due(const HeldBack& held_back) const;
    /// Remembers since when there is something to tell; forgets it when there is not.
    void update_waiting(Timestamp now, const HeldBack& held_back);
    /// True when an end waits only for another group.
    [[nodiscard]] bool holds_ends(const HeldBack& held_back) const;
    /// Makes the message, and counts its alerts as told: their ends leave the group.
    [[nodiscard]] GroupNotification take(Timestamp now, NotifyReason reason,
                                         const HeldBack& held_back);
    /// The first moment from `from` on at which the pace lets the group speak again. Needs a last
    /// message.
    [[nodiscard]] Timestamp paced(Timestamp from) const;
    /// False when it is another message than the one in flight.
    bool settle(std::string_view notification_id, bool delivered);
    /// Waits that began after `now` begin at `now`.
    void clock_went_back(Timestamp now);
    [[nodiscard]] bool is_spent() const { return entries.empty() && in_flight.empty(); }
};

/// `"receiver"{}:{alertname="X"}`.
[[nodiscard]] std::string group_id_of(std::string_view receiver, std::string_view group_key);

/// A group as JSON text, and back.
[[nodiscard]] std::string write_group(const DispatchGroup& group);
[[nodiscard]] Result<DispatchGroup> read_group(std::string_view json);

}  // namespace kpid::alerting
