// The state machines of Prometheus' alerting and recording rules (rules/alerting.go,
// rules/recording.go and the restoring of `for` in rules/group.go define the semantics).
#include "kpid/alerting/rule_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace kpid::alerting {
namespace {

Error same_labels(std::string_view whose) {
    return Error{
        Code::kUnprocessable,
        fmt::format("vector contains metrics with the same labelset after applying {} labels",
                    whose)};
}

Error too_many(std::size_t limit, std::size_t count, std::string_view what) {
    return Error{Code::kResourceExhausted,
                 fmt::format("exceeded limit of {} with {} {}", limit, count, what)};
}

Alert alert_of(const AlertingRule& rule, const RuleValue& element, const ExpandTemplate& expand) {
    model::LabelsBuilder labels(element.labels);
    labels.erase(model::kMetricName);
    for (const auto& [name, text] : rule.labels) {
        labels.set(name, expand(text, element.labels, element.value));
    }
    labels.set("alertname", rule.name);
    Alert alert;
    alert.identity = labels.build();
    alert.labels = alert.identity;
    alert.generator_url = rule.generator_url;
    for (const auto& [name, text] : rule.annotations) {
        alert.annotations.insert_or_assign(name, expand(text, element.labels, element.value));
    }
    return alert;
}

}  // namespace

struct RuleState::Pass {
    Timestamp now;
    const AlertingRule& rule;
    MonoTime cause_accepted_at;
    bool may_end = true;
    std::size_t alerting = 0;  // pending and firing
    std::vector<Transition> transitions;
};

Result<RuleUpdate> RuleState::update(Timestamp now, const AlertingRule& rule,
                                     std::span<const RuleValue> vector,
                                     const ExpandTemplate& expand, MonoTime cause_accepted_at,
                                     bool may_end) {
    Entries fresh;
    for (const RuleValue& element : vector) {
        Alert alert = alert_of(rule, element, expand);
        const model::Labels labels = alert.labels;
        const bool added =
            fresh.emplace(labels, Entry{.active_at = now, .value = element.value, .alert = alert})
                .second;
        if (!added) {
            return same_labels("alert");
        }
    }
    Pass pass{.now = now, .rule = rule, .cause_accepted_at = cause_accepted_at, .may_end = may_end};
    take(pass, std::move(fresh));
    RuleUpdate out{.transitions = std::move(pass.transitions)};
    if (rule.limit > 0 && pass.alerting > rule.limit) {
        // What this very evaluation would have started was told to nobody.
        std::erase_if(out.transitions, [](const Transition& transition) {
            return transition.kind != TransitionKind::kEnded;
        });
        for (auto& [labels, entry] : entries_) {
            const bool unheard = entry.phase == Phase::kFiring && entry.alert.starts_at == now;
            entry.phase = unheard ? Phase::kPending : entry.phase;
        }
        std::vector<Transition> cleared = clear(now, EndReason::kResolved);
        out.transitions.insert(out.transitions.end(), cleared.begin(), cleared.end());
        out.error = too_many(rule.limit, pass.alerting, "alerts");
        return out;
    }
    if (!for_state_pending_) {
        for (const auto& [labels, entry] : entries_) {
            if (entry.phase != Phase::kEnded) {
                const AlertState state =
                    entry.phase == Phase::kFiring ? AlertState::kFiring : AlertState::kPending;
                append_alert_series(labels, state, entry.active_at, now, out.samples);
            }
        }
        std::vector<model::SeriesSample> vanished;
        written_.update(out.samples, now, vanished);
        out.samples.insert(out.samples.end(), vanished.begin(), vanished.end());
    }
    return out;
}

void RuleState::take(Pass& pass, Entries fresh) {
    std::set<model::Labels> present;
    for (auto& [labels, given] : fresh) {
        present.insert(labels);
        const auto existing = entries_.find(labels);
        if (existing == entries_.end() || existing->second.phase == Phase::kEnded) {
            entries_.insert_or_assign(labels, std::move(given));
            dirty_ = true;
            continue;
        }
        Entry& entry = existing->second;
        entry.value = given.value;
        const bool changed = entry.alert.annotations != given.alert.annotations ||
                             entry.alert.generator_url != given.alert.generator_url;
        entry.alert.annotations = std::move(given.alert.annotations);
        entry.alert.generator_url = std::move(given.alert.generator_url);
        if (changed && entry.phase == Phase::kFiring) {
            pass.transitions.push_back({.kind = TransitionKind::kChanged, .alert = entry.alert});
        }
    }
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        if (present.contains(entry->first)) {
            step_present(pass, entry->second);
        } else if (!step_absent(pass, entry->second)) {
            entry = entries_.erase(entry);
            dirty_ = true;
            continue;
        }
        ++entry;
    }
}

void RuleState::step_present(Pass& pass, Entry& entry) {
    dirty_ = dirty_ || entry.keep_firing_since.has_value();
    entry.keep_firing_since.reset();
    entry.restored = false;
    ++pass.alerting;
    if (entry.phase == Phase::kPending && pass.now - entry.active_at >= pass.rule.hold) {
        entry.phase = Phase::kFiring;
        entry.alert.starts_at = pass.now;
        entry.alert.cause_accepted_at = pass.cause_accepted_at;
        pass.transitions.push_back({.kind = TransitionKind::kStarted, .alert = entry.alert});
        dirty_ = true;
    }
}

// False: there is nothing left to remember of it.
bool RuleState::step_absent(Pass& pass, Entry& entry) {
    switch (entry.phase) {
        case Phase::kPending:
            return false;
        case Phase::kEnded:
            return pass.now - entry.alert.ends_at <= kResolvedRetention;
        case Phase::kFiring:
            break;
    }
    if (entry.restored && !pass.may_end) {
        ++pass.alerting;
        return true;
    }
    if (pass.rule.keep_firing_for > Duration(0)) {
        dirty_ = dirty_ || !entry.keep_firing_since;
        entry.keep_firing_since = entry.keep_firing_since.value_or(pass.now);
        if (pass.now - *entry.keep_firing_since < pass.rule.keep_firing_for) {
            ++pass.alerting;
            return true;
        }
    }
    entry.phase = Phase::kEnded;
    entry.alert.ended = EndReason::kResolved;
    entry.alert.ends_at = pass.now;
    entry.alert.cause_accepted_at = pass.cause_accepted_at;
    pass.transitions.push_back({.kind = TransitionKind::kEnded, .alert = entry.alert});
    dirty_ = true;
    return true;
}

// Ends what fires and forgets what is pending.
std::vector<Transition> RuleState::clear(Timestamp now, EndReason reason) {
    std::vector<Transition> transitions;
    std::erase_if(entries_,
                  [](const auto& entry) { return entry.second.phase == Phase::kPending; });
    for (auto& [labels, entry] : entries_) {
        if (entry.phase == Phase::kFiring) {
            entry.phase = Phase::kEnded;
            entry.alert.ended = reason;
            entry.alert.ends_at = now;
            entry.keep_firing_since.reset();
            transitions.push_back({.kind = TransitionKind::kEnded, .alert = entry.alert});
        }
    }
    dirty_ = true;
    return transitions;
}

RuleUpdate RuleState::remove_all(Timestamp now) {
    RuleUpdate out{.transitions = clear(now, EndReason::kRemoved)};
    written_.end_all(now, out.samples);
    return out;
}

void RuleState::restore_for_state(Timestamp now, Duration hold,
                                  std::span<const StoredForState> stored,
                                  const ForRestoreOptions& options) {
    for_state_pending_ = false;
    if (hold < options.grace_period) {
        return;
    }
    for (const StoredForState& state : stored) {
        const auto found = entries_.find(state.labels.without(model::kMetricName));
        if (found == entries_.end() || found->second.phase != Phase::kPending ||
            std::isnan(state.value) || now - state.time > options.outage_tolerance) {
            continue;
        }
        const Result<Timestamp> stored_active_at = timestamp_from_seconds(state.value);
        if (!stored_active_at) {
            continue;
        }
        Timestamp active_at = *stored_active_at;
        const Duration left = hold - (state.time - active_at);
        if (left > Duration(0)) {
            // It was pending: the outage does not count, and at least the grace period is waited.
            active_at = left < options.grace_period ? now + options.grace_period - hold
                                                    : active_at + (now - state.time);
        }
        found->second.active_at = active_at;
    }
}

bool RuleState::has_restored() const {
    return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
        return entry.second.restored && entry.second.phase == Phase::kFiring;
    });
}

std::vector<ActiveAlert> RuleState::active() const {
    std::vector<ActiveAlert> out;
    for (const auto& [labels, entry] : entries_) {
        if (entry.phase != Phase::kEnded) {
            out.push_back({.alert = entry.alert,
                           .state = entry.phase == Phase::kFiring ? AlertState::kFiring
                                                                  : AlertState::kPending,
                           .active_at = entry.active_at,
                           .value = entry.value});
        }
    }
    return out;
}

std::vector<Alert> RuleState::ended() const {
    std::vector<Alert> out;
    for (const auto& [labels, entry] : entries_) {
        if (entry.phase == Phase::kEnded) {
            out.push_back(entry.alert);
        }
    }
    return out;
}

std::vector<Alert> RuleState::due_for_sending(Timestamp now, Duration resend_delay) {
    std::vector<Alert> out;
    for (auto& [labels, entry] : entries_) {
        if (entry.phase == Phase::kPending) {
            continue;
        }
        const bool ended_unsent =
            entry.phase == Phase::kEnded &&
            (!entry.last_sent_at || entry.alert.ends_at > *entry.last_sent_at);
        if (ended_unsent || !entry.last_sent_at || *entry.last_sent_at + resend_delay < now) {
            entry.last_sent_at = now;
            out.push_back(entry.alert);
        }
    }
    return out;
}

Result<std::vector<model::SeriesSample>> RecordingState::update(Timestamp now,
                                                                const RecordingRule& rule,
                                                                std::span<const RuleValue> vector) {
    std::vector<model::SeriesSample> out;
    std::set<model::Labels> seen;
    for (const RuleValue& element : vector) {
        model::LabelsBuilder labels(element.labels);
        labels.set(model::kMetricName, rule.name);
        for (const auto& [name, value] : rule.labels) {
            labels.set(name, value);
        }
        out.push_back({.labels = labels.build(), .time = now, .value = element.value});
        if (!seen.insert(out.back().labels).second) {
            return same_labels("rule");
        }
    }
    if (rule.limit > 0 && out.size() > rule.limit) {
        return too_many(rule.limit, out.size(), "series");
    }
    std::vector<model::SeriesSample> vanished;
    written_.update(out, now, vanished);
    out.insert(out.end(), vanished.begin(), vanished.end());
    return out;
}

std::vector<model::SeriesSample> RecordingState::remove_all(Timestamp now) {
    std::vector<model::SeriesSample> out;
    written_.end_all(now, out);
    return out;
}

}  // namespace kpid::alerting
