#pragma once
// The dispatcher: collects alerts into groups and says when each group's receiver is to be told
// what.

#include "kpid/alerting/alert.h"
#include "kpid/alerting/route.h"
#include "kpid/base/result.h"
#include "kpid/base/time.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::alerting {

/// Why a group's message goes out now.
enum class NotifyReason { kFirst, kChange, kEscalation, kAllClear, kRepeat };
/// "first", "change", "escalation", "all_clear", "repeat".
[[nodiscard]] std::string_view to_string(NotifyReason reason);

/// One message to one receiver about one group.
struct GroupNotification {
    /// Unique for all time and the same when the message is made again after a crash: the base of
    /// webhook-id.
    std::string id;
    std::string
        group_id;  ///< Receiver and group key; names the group in on_settled and in the state.
    std::string
        group_key;  ///< As Alertmanager writes it: `{}/{severity="critical"}:{alertname="X"}`.
    std::string receiver;
    model::Labels group_labels;
    /// All that fire, the worst severity first, then those whose end is told with this message.
    std::vector<Alert> alerts;
    NotifyReason reason = NotifyReason::kFirst;
    std::uint64_t sequence = 0;  ///< Counts the group's messages from 1.
    /// Alerts that were refused since the group's last message because the group was full.
    std::size_t alerts_refused = 0;
};

/// Groups alerts by the routes and paces the messages of each group (a receiver and a group key).
///
/// Operation: `submit` what starts, changes and ends; `take_due` what is to be sent now and hand it
/// to the outbox; write `take_dirty` in the same atomic write as the outbox entries; report every
/// settled message by `on_settled`; sleep until `next_wakeup`.
/// - A new group waits group_wait; what comes later waits until group_interval has passed since
///   the last message, but for what the route names immediate; where it names nothing so, until
///   the next tick. What is submitted together goes together.
/// - A group has one message in flight at a time; the next one waits for on_settled.
/// - An alert counts as told when its message was taken. One that was told is told exactly once,
///   in the same group, how it ended; one that ended before it was told is never told. An alert
///   that fires again before its end was told simply goes on.
/// - The end of a superseded alert is held back until the one that took over was delivered in its
///   group, or given up in all of them; where both belong to one group they share a message.
/// - An alert that routes to another group (a reload, a changed label) starts there and is
///   repeated there; the old group is told only its end.
///
/// Time is wall time; when it jumps back, pending waits are cut to start anew from it. Not
/// thread-safe: one owner strand.
class Dispatcher {
public:
    struct Limits {
        std::size_t groups_max = 10'000;
        std::size_t alerts_per_group_max = 10'000;
    };
    struct InFlight {
        std::string group_id;
        std::string notification_id;
    };

    Dispatcher();
    explicit Dispatcher(RouteTree routes);
    Dispatcher(RouteTree routes, Limits limits);
    ~Dispatcher();
    Dispatcher(Dispatcher&&) noexcept;
    Dispatcher& operator=(Dispatcher&&) noexcept;

    /// Takes alerts that fire (again and again, without effect but for their texts) and that ended.
    /// One that is refused by a limit is counted; submit it again while it fires and it enters when
    /// there is room.
    void submit(Timestamp now, std::span<const Alert> alerts);
    /// When take_due has something to give, if nothing else happens. A time in the past means now.
    [[nodiscard]] std::optional<Timestamp> next_wakeup() const;
    /// The messages that are due, in order of their due times. Each is in flight from here on.
    [[nodiscard]] std::vector<GroupNotification> take_due(Timestamp now);
    /// The outbox's word on a message: the receiver acknowledged it, or it was given up. Unknown
    /// ids are ignored, so that a repeated report does no harm.
    void on_settled(Timestamp now, std::string_view group_id, std::string_view notification_id,
                    bool delivered);
    /// New routes. Alerts are routed again at once; what was told under old routes ends there.
    void reconfigure(Timestamp now, RouteTree routes);

    /// The groups that changed since the last call: their group_id and state as JSON text, or
    /// nothing for a group that is gone.
    [[nodiscard]] std::vector<std::pair<std::string, std::optional<std::string>>> take_dirty();
    /// Takes back what take_dirty gave, into a new dispatcher. Entries that do not read are left
    /// out and named in the error; all others are restored even then. Afterwards report as settled
    /// every in_flight() message that the outbox does not hold any more.
    [[nodiscard]] Result<void> restore(Timestamp now,
                                       std::span<const std::pair<std::string, std::string>> state);
    [[nodiscard]] std::vector<InFlight> in_flight() const;

    /// The alerts that fire as far as the dispatcher knows: after a restore, end those whose
    /// definition is gone.
    [[nodiscard]] std::vector<Alert> known_firing() const;

    /// For metrics. Refusals count since the start.
    [[nodiscard]] std::size_t group_count() const;
    [[nodiscard]] std::uint64_t alerts_refused_total() const;
    [[nodiscard]] std::uint64_t groups_refused_total() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// How bad a severity is, for comparing: unknown and absent 0, info 1, warning 2, error 3,
/// critical 4.
[[nodiscard]] int severity_rank(std::string_view severity);

}  // namespace kpid::alerting
