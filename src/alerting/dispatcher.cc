// Groups, their schedule, and which alert stands in which of them.

#include "kpid/alerting/dispatcher.h"

#include "alerting/dispatch_group.h"
#include "kpid/base/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace kpid::alerting {

class Dispatcher::Impl {
public:
    Impl(RouteTree routes, Limits limits) : routes_(std::move(routes)), limits_(limits) {}

    void submit(Timestamp now, std::span<const Alert> alerts);
    [[nodiscard]] std::optional<Timestamp> next_wakeup() const;
    [[nodiscard]] std::vector<GroupNotification> take_due(Timestamp now);
    void on_settled(Timestamp now, std::string_view group_id, std::string_view notification_id,
                    bool delivered);
    void reconfigure(Timestamp now, RouteTree routes);
    [[nodiscard]] std::vector<std::pair<std::string, std::optional<std::string>>> take_dirty();
    [[nodiscard]] Result<void> restore(Timestamp now,
                                       std::span<const std::pair<std::string, std::string>> state);
    [[nodiscard]] std::vector<InFlight> in_flight() const;
    [[nodiscard]] std::vector<Alert> known_firing() const;

    [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
    [[nodiscard]] std::uint64_t alerts_refused() const { return alerts_refused_; }
    [[nodiscard]] std::uint64_t groups_refused() const { return groups_refused_; }

private:
    // Where an alert, named by its fingerprint, has entries.
    struct Member {
        model::Labels identity;
        std::set<std::string> groups;
    };
    using GroupIds = std::set<std::string>;

    void observe_time(Timestamp now);
    void place(Timestamp now, const Alert& alert);
    void end(const Alert& alert);
    void enter(DispatchGroup& group, const Alert& alert, Member& member);
    void leave(DispatchGroup& group, const Alert& alert, Member& member);
    void forget(const std::string& fingerprint, const std::string& group_id);
    DispatchGroup* group_for(Timestamp now, const ResolvedRoute& route, const Alert& alert);
    void route_again(Timestamp now);
    void touch(const std::string& group_id) {
        touched_.insert(group_id);
        dirty_.insert(group_id);
    }
    void refresh(Timestamp now);
    void refresh_group(Timestamp now, const std::string& group_id);
    void unschedule(const std::string& group_id);
    [[nodiscard]] bool is_held_back(const std::string& group_id, const Alert& ended) const;
    [[nodiscard]] HeldBack held_back_in(const std::string& group_id) const {
        return [this, group_id](const Alert& ended) { return is_held_back(group_id, ended); };
    }

    RouteTree routes_;
    Limits limits_;
    std::map<std::string, DispatchGroup, std::less<>> groups_;
    StringMap<Member> members_;
    // When each group speaks next, ordered and by group.
    std::set<std::pair<Timestamp, std::string>> schedule_;
    StringMap<Timestamp> scheduled_at_;
    GroupIds touched_;  // changed within the current call
    GroupIds dirty_;    // changed since take_dirty
    GroupIds holding_;  // with ends that wait for other groups
    std::optional<Timestamp> latest_now_;
    Timestamp last_epoch_ = Timestamp::min();
    std::uint64_t alerts_refused_ = 0;
    std::uint64_t groups_refused_ = 0;
};

void Dispatcher::Impl::observe_time(Timestamp now) {
    if (latest_now_ && now < *latest_now_) {
        for (auto& [id, group] : groups_) {
            group.clock_went_back(now);
            touched_.insert(id);
        }
    }
    latest_now_ = now;
}

DispatchGroup* Dispatcher::Impl::group_for(Timestamp now, const ResolvedRoute& route,
                                           const Alert& alert) {
    const model::Labels group_labels = route.group_labels(alert.labels);
    std::string key = fmt::format("{}:{}", route.id, format_label_set(group_labels));
    std::string receiver = routes_.receiver_of(route, alert.labels);
    std::string id = group_id_of(receiver, key);
    if (const auto found = groups_.find(id); found != groups_.end()) {
        return &found->second;
    }
    if (groups_.size() >= limits_.groups_max) {
        ++groups_refused_;
        return nullptr;
    }
    DispatchGroup group;
    group.id = id;
    group.route_id = route.id;
    group.key = std::move(key);
    group.receiver = std::move(receiver);
    group.labels = group_labels;
    // Two groups of one name within a millisecond still differ.
    group.epoch = last_epoch_ = std::max(now, last_epoch_ + Duration(1));
    group.pace_by(route);
    return &groups_.emplace(std::move(id), std::move(group)).first->second;
}

void Dispatcher::Impl::enter(DispatchGroup& group, const Alert& alert, Member& member) {
    const auto found = group.entries.find(alert.identity);
    if (found == group.entries.end()) {
        if (group.entries.size() >= limits_.alerts_per_group_max) {
            touched_.insert(group.id);
            ++group.refused;
            ++alerts_refused_;
            return;
        }
        touch(group.id);
        group.entries.emplace(alert.identity, GroupEntry{alert});
        member.groups.insert(group.id);
        return;
    }
    GroupEntry& entry = found->second;
    if (!entry.alert.firing() || entry.moved || entry.alert.starts_at != alert.starts_at) {
        touch(group.id);
    }
    entry.moved = false;
    entry.alert = alert;
}

// The alert fires, but not here any more: what was told stays until it ends.
void Dispatcher::Impl::leave(DispatchGroup& group, const Alert& alert, Member& member) {
    const auto found = group.entries.find(alert.identity);
    if (found == group.entries.end() || !found->second.alert.firing()) {
        return;
    }
    GroupEntry& entry = found->second;
    if (entry.telling == Telling::kUntold) {
        group.entries.erase(found);
        member.groups.erase(group.id);
        touch(group.id);
        return;
    }
    if (!entry.moved) {
        touch(group.id);
    }
    entry.moved = true;
    entry.alert = alert;
}

void Dispatcher::Impl::place(Timestamp now, const Alert& alert) {
    const std::string fingerprint = alert.fingerprint();
    Member& member = members_[fingerprint];
    member.identity = alert.identity;
    GroupIds targets;
    for (const ResolvedRoute* route : routes_.match(alert.labels)) {
        DispatchGroup* group = group_for(now, *route, alert);
        if (group != nullptr && targets.insert(group->id).second) {
            enter(*group, alert, member);
        }
    }
    const GroupIds before = member.groups;
    for (const std::string& id : before) {
        if (!targets.contains(id)) {
            leave(groups_.find(id)->second, alert, member);
        }
    }
    if (member.groups.empty()) {
        members_.erase(fingerprint);
    }
}

void Dispatcher::Impl::end(const Alert& alert) {
    const std::string fingerprint = alert.fingerprint();
    const auto member = members_.find(fingerprint);
    if (member == members_.end()) {
        return;
    }
    const GroupIds ids = member->second.groups;
    for (const std::string& id : ids) {
        DispatchGroup& group = groups_.find(id)->second;
        const auto found = group.entries.find(alert.identity);
        if (found == group.entries.end() || !found->second.alert.firing()) {
            continue;
        }
        touch(id);
        if (found->second.telling == Telling::kUntold) {
            group.entries.erase(found);
            forget(fingerprint, id);
        } else {
            found->second.alert = alert;
        }
    }
}

void Dispatcher::Impl::forget(const std::string& fingerprint, const std::string& group_id) {
    const auto member = members_.find(fingerprint);
    if (member == members_.end()) {
        return;
    }
    member->second.groups.erase(group_id);
    if (member->second.groups.empty()) {
        members_.erase(member);
    }
}

bool Dispatcher::Impl::is_held_back(const std::string& group_id, const Alert& ended) const {
    if (ended.ended != EndReason::kSuperseded || !ended.kpi || ended.kpi->superseded_by.empty()) {
        return false;
    }
    const auto successor = members_.find(ended.kpi->superseded_by);
    if (successor == members_.end()) {
        return false;
    }
    bool unsettled = false;
    for (const std::string& id : successor->second.groups) {
        const DispatchGroup& group = groups_.find(id)->second;
        const auto found = group.entries.find(successor->second.identity);
        if (found == group.entries.end()) {
            continue;
        }
        const GroupEntry& entry = found->second;
        if (entry.telling == Telling::kDelivered ||
            (id == group_id && entry.alert.firing() && !entry.moved)) {
            return false;
        }
        unsettled = unsettled || entry.telling == Telling::kInFlight ||
                    (entry.telling == Telling::kUntold && entry.alert.firing());
    }
    return unsettled;
}

void Dispatcher::Impl::unschedule(const std::string& group_id) {
    const auto found = scheduled_at_.find(group_id);
    if (found != scheduled_at_.end()) {
        schedule_.erase({found->second, group_id});
        scheduled_at_.erase(found);
    }
}

void Dispatcher::Impl::refresh_group(Timestamp now, const std::string& group_id) {
    unschedule(group_id);
    holding_.erase(group_id);
    const auto found = groups_.find(group_id);
    if (found == groups_.end()) {
        return;
    }
    DispatchGroup& group = found->second;
    if (group.is_spent()) {
        groups_.erase(found);
        dirty_.insert(group_id);
        return;
    }
    const HeldBack held_back = held_back_in(group_id);
    group.update_waiting(now, held_back);
    if (group.holds_ends(held_back)) {
        holding_.insert(group_id);
    }
    if (const auto due = group.due(held_back)) {
        schedule_.emplace(due->at, group_id);
        scheduled_at_.emplace(group_id, due->at);
    }
}

void Dispatcher::Impl::refresh(Timestamp now) {
    if (touched_.empty()) {
        return;
    }
    // What happened in one group may free ends that wait in another.
    touched_.insert(holding_.begin(), holding_.end());
    for (const std::string& id : std::exchange(touched_, {})) {
        refresh_group(now, id);
    }
}

void Dispatcher::Impl::submit(Timestamp now, std::span<const Alert> alerts) {
    observe_time(now);
    // Successors first, so that the ends they supersede find them.
    for (const Alert& alert : alerts) {
        if (alert.firing()) {
            place(now, alert);
        }
    }
    for (const Alert& alert : alerts) {
        if (!alert.firing()) {
            end(alert);
        }
    }
    refresh(now);
}

std::optional<Timestamp> Dispatcher::Impl::next_wakeup() const {
    return schedule_.empty() ? std::optional<Timestamp>() : schedule_.begin()->first;
}

std::vector<GroupNotification> Dispatcher::Impl::take_due(Timestamp now) {
    observe_time(now);
    refresh(now);
    std::vector<GroupNotification> taken;
    while (!schedule_.empty() && schedule_.begin()->first <= now) {
        const std::string id = schedule_.begin()->second;
        DispatchGroup& group = groups_.find(id)->second;
        const HeldBack held_back = held_back_in(id);
        const auto due = group.due(held_back);
        if (!due || due->at > now) {
            // Another group's change holds its end back since it was scheduled.
            refresh_group(now, id);
            continue;
        }
        taken.push_back(group.take(now, due->reason, held_back));
        for (const Alert& alert : taken.back().alerts) {
            if (!alert.firing()) {
                forget(alert.fingerprint(), id);
            }
        }
        touch(id);
        refresh(now);  // it is in flight now: not due again
    }
    return taken;
}

void Dispatcher::Impl::on_settled(Timestamp now, std::string_view group_id,
                                  std::string_view notification_id, bool delivered) {
    observe_time(now);
    const auto found = groups_.find(group_id);
    if (found != groups_.end() && found->second.settle(notification_id, delivered)) {
        touch(found->first);
    }
    refresh(now);
}

void Dispatcher::Impl::route_again(Timestamp now) {
    for (auto& [id, group] : groups_) {
        if (const ResolvedRoute* route = routes_.find(group.route_id)) {
            group.pace_by(*route);
        }
        touch(id);
    }
    for (const Alert& alert : known_firing()) {
        place(now, alert);
    }
    refresh(now);
}

void Dispatcher::Impl::reconfigure(Timestamp now, RouteTree routes) {
    observe_time(now);
    routes_ = std::move(routes);
    route_again(now);
}

std::vector<std::pair<std::string, std::optional<std::string>>> Dispatcher::Impl::take_dirty() {
    std::vector<std::pair<std::string, std::optional<std::string>>> changes;
    for (const std::string& id : std::exchange(dirty_, {})) {
        const auto found = groups_.find(id);
        changes.emplace_back(id, found == groups_.end()
                                     ? std::optional<std::string>()
                                     : std::optional<std::string>(write_group(found->second)));
    }
    return changes;
}

Result<void> Dispatcher::Impl::restore(Timestamp now,
                                       std::span<const std::pair<std::string, std::string>> state) {
    observe_time(now);
    std::string failures;
    for (const auto& [key, text] : state) {
        auto group = read_group(text);
        if (!group || group->id != key) {
            failures += fmt::format("{}{}: {}", failures.empty() ? "" : "; ", key,
                                    group ? "state of another group" : group.error().message);
            continue;
        }
        last_epoch_ = std::max(last_epoch_, group->epoch);
        for (const auto& [identity, entry] : group->entries) {
            Member& member = members_[entry.alert.fingerprint()];
            member.identity = identity;
            member.groups.insert(key);
        }
        groups_.insert_or_assign(key, *std::move(group));
    }
    for (auto& [id, group] : groups_) {
        group.clock_went_back(now);
    }
    route_again(now);
    if (!failures.empty()) {
        return Error{Code::kDataLoss, std::move(failures)};
    }
    return {};
}

std::vector<Dispatcher::InFlight> Dispatcher::Impl::in_flight() const {
    std::vector<InFlight> messages;
    for (const auto& [id, group] : groups_) {
        if (!group.in_flight.empty()) {
            messages.push_back({id, group.in_flight});
        }
    }
    return messages;
}

std::vector<Alert> Dispatcher::Impl::known_firing() const {
    std::map<model::Labels, const Alert*> firing;
    for (const auto& [id, group] : groups_) {
        for (const auto& [identity, entry] : group.entries) {
            if (entry.alert.firing()) {
                firing.emplace(identity, &entry.alert);
            }
        }
    }
    std::vector<Alert> alerts;
    alerts.reserve(firing.size());
    for (const auto& [identity, alert] : firing) {
        alerts.push_back(*alert);
    }
    return alerts;
}

Dispatcher::Dispatcher() : Dispatcher(RouteTree()) {
}
Dispatcher::Dispatcher(RouteTree routes) : Dispatcher(std::move(routes), Limits()) {
}
Dispatcher::Dispatcher(RouteTree routes, Limits limits)
    : impl_(std::make_unique<Impl>(std::move(routes), limits)) {
}
Dispatcher::~Dispatcher() = default;
Dispatcher::Dispatcher(Dispatcher&&) noexcept = default;
Dispatcher& Dispatcher::operator=(Dispatcher&&) noexcept = default;

void Dispatcher::submit(Timestamp now, std::span<const Alert> alerts) {
    impl_->submit(now, alerts);
}
std::optional<Timestamp> Dispatcher::next_wakeup() const {
    return impl_->next_wakeup();
}
std::vector<GroupNotification> Dispatcher::take_due(Timestamp now) {
    return impl_->take_due(now);
}
void Dispatcher::on_settled(Timestamp now, std::string_view group_id,
                            std::string_view notification_id, bool delivered) {
    impl_->on_settled(now, group_id, notification_id, delivered);
}
void Dispatcher::reconfigure(Timestamp now, RouteTree routes) {
    impl_->reconfigure(now, std::move(routes));
}
std::vector<std::pair<std::string, std::optional<std::string>>> Dispatcher::take_dirty() {
    return impl_->take_dirty();
}
Result<void> Dispatcher::restore(Timestamp now,
                                 std::span<const std::pair<std::string, std::string>> state) {
    return impl_->restore(now, state);
}
std::vector<Dispatcher::InFlight> Dispatcher::in_flight() const {
    return impl_->in_flight();
}
std::vector<Alert> Dispatcher::known_firing() const {
    return impl_->known_firing();
}
std::size_t Dispatcher::group_count() const {
    return impl_->group_count();
}
std::uint64_t Dispatcher::alerts_refused_total() const {
    return impl_->alerts_refused();
}
std::uint64_t Dispatcher::groups_refused_total() const {
    return impl_->groups_refused();
}

}  // namespace kpid::alerting
