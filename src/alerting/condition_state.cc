// The alert state machine of a KPI's conditions.
#include "kpid/alerting/condition_state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

namespace kpid::alerting {
namespace {

constexpr std::array<std::string_view, 7> kOwnLabels{"alertname", "kpi",  "condition", "severity",
                                                     "owner",     "goal", "category"};

model::Labels with_attached(const model::Labels& identity, const model::Labels& attached) {
    model::LabelsBuilder builder(attached);
    for (const model::Label& label : identity) {
        builder.set(label.name, label.value);
    }
    return builder.build();
}

// A worse level that is active makes the milder active; levels of one severity become one, with the
// shortest wait of those that are active.
std::vector<ConditionLevel> normalized(const std::vector<ConditionLevel>& given) {
    std::vector<ConditionLevel> levels;
    for (std::size_t i = 0; i < given.size(); ++i) {
        ConditionLevel level = given[i];
        level.active = std::any_of(given.begin() + static_cast<std::ptrdiff_t>(i), given.end(),
                                   [](const ConditionLevel& worse) { return worse.active; });
        const auto same = std::find_if(
            levels.begin(), levels.end(),
            [&level](const ConditionLevel& other) { return other.severity == level.severity; });
        if (same == levels.end()) {
            levels.push_back(std::move(level));
        } else if (level.active) {
            same->hold = std::min(same->hold, level.hold);
        }
    }
    return levels;
}

// Whether what receivers are told differs; a mere other value is no news.
bool same_news(const Alert& a, const Alert& b) {
    const auto context = [](const Alert& alert) {
        KpiContext kpi = alert.kpi.value_or(KpiContext{});
        return std::tuple(kpi.title, kpi.owner, kpi.target_json, kpi.unit, kpi.status, kpi.goal,
                          kpi.runbook);
    };
    return a.labels == b.labels && a.annotations == b.annotations &&
           a.generator_url == b.generator_url && context(a) == context(b);
}

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

}  // namespace

model::Labels alert_identity(const model::Labels& base, const model::Labels& instance,
                             std::string_view condition, std::string_view severity) {
    model::LabelsBuilder builder;
    for (const model::Label& label : instance) {
        const bool own =
            std::find(kOwnLabels.begin(), kOwnLabels.end(), label.name) != kOwnLabels.end();
        builder.set(own ? "exported_" + label.name : label.name, label.value);
    }
    for (const model::Label& label : base) {
        builder.set(label.name, label.value);
    }
    return builder.set("condition", condition).set("severity", severity).build();
}

struct ConditionAlerts::Pass {
    Timestamp now;
    MonoTime cause_accepted_at;
    const DetailsOf* details_of = nullptr;    // nothing: alerts keep what they carry
    const InstanceInput* instance = nullptr;  // nothing: no value is at hand
    std::vector<Transition> transitions;
    std::vector<const Level*> started;
};

ConditionAlerts::ConditionAlerts(model::Labels base) : base_(std::move(base)) {
}

std::vector<Transition> ConditionAlerts::update(Timestamp now, const ConditionUpdate& update,
                                                const DetailsOf& details_of) {
    Pass pass{.now = now, .cause_accepted_at = update.cause_accepted_at, .details_of = &details_of};
    for (const model::Labels& labels : update.expired) {
        end_instance(pass, labels, EndReason::kExpired);
    }
    for (const model::Labels& labels : update.replaced) {
        end_instance(pass, labels, EndReason::kResolved);
    }
    for (const InstanceInput& instance : update.instances) {
        pass.instance = &instance;
        for (const ConditionInput& condition : instance.conditions) {
            step(pass, instance, condition);
        }
    }
    forget_ended(now);
    return std::move(pass.transitions);
}

std::vector<Transition> ConditionAlerts::remove_all(Timestamp now) {
    Pass pass{.now = now};
    while (!tracks_.empty()) {
        const model::Labels instance = tracks_.begin()->first.first;
        end_instance(pass, instance, EndReason::kRemoved);
    }
    forget_ended(now);
    return std::move(pass.transitions);
}

void ConditionAlerts::step(Pass& pass, const InstanceInput& instance,
                           const ConditionInput& condition) {
    const Key key(instance.labels, condition.condition);
    const std::vector<ConditionLevel> levels = normalized(condition.levels);
    auto found = tracks_.find(key);
    if (found == tracks_.end()) {
        if (!condition.judged || levels.empty() || !levels.front().active) {
            return;
        }
        found = tracks_.emplace(key, Track{}).first;
    }
    Track& track = found->second;
    const bool newer = instance.newest_sample &&
                       (!track.judged_sample || *instance.newest_sample > *track.judged_sample);
    const bool believed = !track.restored || instance.may_end || newer;
    if (condition.judged && believed) {
        track.restored = false;
        if (newer) {
            track.judged_sample = instance.newest_sample;
        }
        set_active(pass, track, levels);
        switch_firing(pass, key, track, levels);
    }
    refresh(pass, key, track);
    if (track.levels.empty()) {
        tracks_.erase(found);
    }
}

void ConditionAlerts::set_active(const Pass& pass, Track& track,
                                 const std::vector<ConditionLevel>& levels) {
    const auto listed = [&levels](const std::string& severity) {
        return std::any_of(levels.begin(), levels.end(), [&severity](const ConditionLevel& level) {
            return level.severity == severity;
        });
    };
    // The time that a firing level of another name has served counts for the one that replaces it.
    Timestamp since = pass.now;
    for (auto& [severity, level] : track.levels) {
        if (!listed(severity)) {
            dirty_ = dirty_ || level.active;
            since = level.firing ? level.active_since : since;
            level.active = false;
        }
    }
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const auto existing = track.levels.find(levels[i].severity);
        if (existing == track.levels.end()) {
            if (levels[i].active) {
                track.levels.emplace(levels[i].severity,
                                     Level{.rank = i, .active = true, .active_since = since});
                dirty_ = true;
            }
            continue;
        }
        Level& level = existing->second;
        level.rank = i;
        dirty_ = dirty_ || level.active != levels[i].active;
        if (levels[i].active) {
            level.inactive_since.reset();
        } else if (!level.inactive_since) {
            level.inactive_since = pass.now;
        }
        level.active = levels[i].active;
    }
}

void ConditionAlerts::switch_firing(Pass& pass, const Key& key, Track& track,
                                    const std::vector<ConditionLevel>& levels) {
    auto firing = std::find_if(track.levels.begin(), track.levels.end(),
                               [](const auto& entry) { return entry.second.firing; });
    const bool any = firing != track.levels.end();
    std::size_t current = kNone;  // among `levels`
    std::size_t chosen = kNone;
    std::size_t active_below = kNone;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const auto state = track.levels.find(levels[i].severity);
        if (state == track.levels.end()) {
            continue;
        }
        const Level& level = state->second;
        current = level.firing ? i : current;
        const bool kept = level.firing && level.inactive_since &&
                          pass.now - *level.inactive_since < levels[i].keep_firing_for;
        const bool served =
            level.active && (level.firing || pass.now - level.active_since >= levels[i].hold);
        chosen = served || kept ? i : chosen;
        active_below = level.active && current == kNone ? i : active_below;
    }
    if (chosen == kNone && current != kNone && active_below != kNone && active_below < current) {
        chosen = active_below;  // From the worse to the milder: no second wait.
    }
    if (any && (chosen == kNone || chosen != current)) {
        if (chosen == kNone) {
            end(pass, key, firing, current == kNone ? EndReason::kRemoved : EndReason::kResolved,
                "");
        } else {
            end(pass, key, firing, EndReason::kSuperseded,
                fingerprint(alert_identity(base_, key.first, key.second, levels[chosen].severity)));
        }
    }
    if (chosen != kNone && chosen != current) {
        const std::string& severity = levels[chosen].severity;
        start(pass, track.levels.at(severity),
              alert_identity(base_, key.first, key.second, severity));
    }
    std::erase_if(track.levels,
                  [](const auto& entry) { return !entry.second.active && !entry.second.firing; });
}

void ConditionAlerts::start(Pass& pass, Level& level, const model::Labels& identity) {
    level.firing = true;
    level.alert.identity = identity;
    level.alert.starts_at = pass.now;
    level.alert.cause_accepted_at = pass.cause_accepted_at;
    pass.started.push_back(&level);
    // An end that is re-sent must not end the new one.
    std::erase_if(ended_, [&identity](const Alert& alert) { return alert.identity == identity; });
    dirty_ = true;
}

void ConditionAlerts::end(Pass& pass, const Key& key, Levels::iterator entry, EndReason reason,
                          const std::string& superseded_by) {
    Level& level = entry->second;
    if (pass.instance != nullptr) {
        describe(pass, key, entry->first, level, true);
    }
    Alert alert = level.alert;
    alert.ended = reason;
    alert.ends_at = pass.now;
    alert.cause_accepted_at = pass.cause_accepted_at;
    if (alert.kpi) {
        alert.kpi->superseded_by = superseded_by;
    }
    ended_.push_back(alert);
    pass.transitions.push_back({.kind = TransitionKind::kEnded, .alert = std::move(alert)});
    level.firing = false;
    level.inactive_since.reset();
    level.alert.starts_at = Timestamp();
    dirty_ = true;
}

void ConditionAlerts::describe(const Pass& pass, const Key& key, const std::string& severity,
                               Level& level, bool ending) {
    level.alert.identity = alert_identity(base_, key.first, key.second, severity);
    if (!std::isnan(pass.instance->value)) {
        level.value = pass.instance->value;
    }
    AlertDetails details =
        (*pass.details_of)({.identity = level.alert.identity,
                            .instance = key.first,
                            .condition = key.second,
                            .severity = severity,
                            .state = level.firing ? AlertState::kFiring : AlertState::kPending,
                            .ending = ending,
                            .active_at = level.active_since,
                            .value = level.value});
    level.alert.labels = with_attached(level.alert.identity, details.attached);
    level.alert.annotations = std::move(details.annotations);
    level.alert.generator_url = std::move(details.generator_url);
    level.alert.kpi = std::move(details.kpi);
}

void ConditionAlerts::refresh(Pass& pass, const Key& key, Track& track) {
    for (auto& [severity, level] : track.levels) {
        const Alert before = level.alert;
        describe(pass, key, severity, level, false);
        if (!level.firing) {
            continue;
        }
        const bool started =
            std::find(pass.started.begin(), pass.started.end(), &level) != pass.started.end();
        if (started) {
            pass.transitions.push_back({.kind = TransitionKind::kStarted, .alert = level.alert});
        } else if (!same_news(before, level.alert)) {
            level.alert.cause_accepted_at = pass.cause_accepted_at;
            pass.transitions.push_back({.kind = TransitionKind::kChanged, .alert = level.alert});
            dirty_ = true;
        }
    }
    pass.started.clear();
}

void ConditionAlerts::end_instance(Pass& pass, const model::Labels& instance, EndReason reason) {
    auto track = tracks_.lower_bound(Key(instance, ""));
    while (track != tracks_.end() && track->first.first == instance) {
        Levels& levels = track->second.levels;
        for (auto level = levels.begin(); level != levels.end(); ++level) {
            if (level->second.firing) {
                end(pass, track->first, level, reason, "");
            }
        }
        track = tracks_.erase(track);
        dirty_ = true;
    }
}

void ConditionAlerts::forget_ended(Timestamp now) {
    const std::size_t forgotten = std::erase_if(
        ended_, [now](const Alert& alert) { return now - alert.ends_at > kResolvedRetention; });
    dirty_ = dirty_ || forgotten > 0;
}

std::vector<ActiveAlert> ConditionAlerts::active() const {
    std::vector<ActiveAlert> out;
    for (const auto& [key, track] : tracks_) {
        std::optional<std::size_t> firing_rank;
        for (const auto& [severity, level] : track.levels) {
            firing_rank = level.firing ? level.rank : firing_rank;
        }
        for (const auto& [severity, level] : track.levels) {
            if (!level.firing && firing_rank && level.rank < *firing_rank) {
                continue;  // It waits for the worse one to end.
            }
            out.push_back({.alert = level.alert,
                           .state = level.firing ? AlertState::kFiring : AlertState::kPending,
                           .active_at = level.active_since,
                           .value = level.value});
        }
    }
    std::sort(out.begin(), out.end(), [](const ActiveAlert& a, const ActiveAlert& b) {
        return a.alert.identity < b.alert.identity;
    });
    return out;
}

std::vector<Alert> ConditionAlerts::ended() const {
    return ended_;
}

std::vector<model::SeriesSample> ConditionAlerts::series(Timestamp now) {
    std::vector<model::SeriesSample> current;
    for (const ActiveAlert& active : this->active()) {
        append_alert_series(active.alert.identity, active.state, active.active_at, now, current);
    }
    std::vector<model::SeriesSample> vanished;
    written_.update(current, now, vanished);
    current.insert(current.end(), vanished.begin(), vanished.end());
    return current;
}

}  // namespace kpid::alerting
