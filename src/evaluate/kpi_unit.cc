// The evaluation of one KPI, from query to alerts.
#include "evaluate/kpi_unit.h"

#include "evaluate/kpi_details.h"
#include "kpid/base/assert.h"
#include "kpid/promql/printer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kpid::evaluate {
namespace {

model::Labels base_labels(const std::string& id) {
    return {{"alertname", id}, {"kpi", id}};
}

alerting::ConditionLevel level_input(const kpi::EffectiveLevel& level, kpi::Status which,
                                     const kpi::InstanceReport& instance) {
    const bool active = std::any_of(
        instance.active.begin(), instance.active.end(), [&](const kpi::ActiveCondition& condition) {
            return condition.condition == "threshold" && condition.level == which;
        });
    return {.severity = level.severity,
            .active = active,
            .hold = level.hold,
            .keep_firing_for = level.keep_firing_for};
}

alerting::ConditionInput threshold_input(const kpi::InstanceReport& instance) {
    alerting::ConditionInput input{.condition = "threshold", .judged = instance.judged};
    if (instance.levels.warning) {
        input.levels.push_back(
            level_input(*instance.levels.warning, kpi::Status::kWarning, instance));
    }
    if (instance.levels.critical) {
        input.levels.push_back(
            level_input(*instance.levels.critical, kpi::Status::kCritical, instance));
    }
    return input;
}

alerting::ConditionInput no_data_input(const kpi::InstanceReport& instance,
                                       const kpi::Definition& definition) {
    alerting::ConditionInput input{.condition = "no_data"};
    if (const auto severity = definition.no_data.alert_severity()) {
        const bool active = std::any_of(
            instance.active.begin(), instance.active.end(),
            [](const kpi::ActiveCondition& condition) { return condition.condition == "no_data"; });
        input.levels.push_back({.severity = *severity, .active = active});
    }
    return input;
}

template <class T>
std::optional<T> restored(const Context& context, const std::string& key, const std::string& kpi,
                          const std::function<Result<T>(std::string_view)>& read) {
    const Result<std::optional<std::string>> stored = context.state.get(key);
    if (!stored) {
        context.log.error("stored state could not be read, it begins anew",
                          {{"kpi", kpi}, {"key", key}, {"error", stored.error().message}});
        return std::nullopt;
    }
    if (!*stored) {
        return std::nullopt;
    }
    Result<T> value = read(**stored);
    if (!value) {
        context.log.error("stored state is not readable, it begins anew",
                          {{"kpi", kpi}, {"key", key}, {"error", value.error().message}});
        return std::nullopt;
    }
    return std::move(*value);
}

}  // namespace

std::string KpiUnit::tracker_key(const std::string& id) {
    return std::string(kStatePrefix) + id + "/tracker";
}
std::string KpiUnit::alerts_key(const std::string& id) {
    return std::string(kStatePrefix) + id + "/alerts";
}

std::string KpiUnit::value_key(const std::string& id) {
    return std::string(kStatePrefix) + id + "/value";
}

KpiUnit::KpiUnit(const Context& context, WithoutValueAlerts& without_value, std::string id,
                 Snapshot snapshot)
    : context_(context),
      id_(std::move(id)),
      without_value_(without_value),
      tracker_(context.clock.wall_now()),
      alerts_(base_labels(id_)) {
    set(std::move(snapshot));
}

void KpiUnit::restore() {
    const Timestamp now = context_.clock.wall_now();
    auto tracker = restored<kpi::Tracker>(
        context_, tracker_key(id_), id_,
        [now](std::string_view json) { return kpi::Tracker::restore(json, now); });
    auto alerts = restored<alerting::ConditionAlerts>(
        context_, alerts_key(id_), id_, [this](std::string_view json) {
            return alerting::ConditionAlerts::restore(base_labels(id_), json);
        });
    if (tracker) {
        tracker_ = std::move(*tracker);
    }
    if (alerts) {
        alerts_ = std::move(*alerts);
    }
    judged_value_ = restored<std::string>(context_, value_key(id_), id_, [](std::string_view text) {
        return Result<std::string>(std::string(text));
    });
    listed_owner_ = without_value_.owner_of(id_);
}

void KpiUnit::set(Snapshot snapshot) {
    const config::KpiEntry* entry = snapshot.config->find_kpi(id_);
    KPID_ASSERT(entry != nullptr);  // A KPI that went away is removed, not set.
    const MutexLock lock(mutex_);
    view_.config = snapshot.config;
    view_.entry = entry;
    snapshot_ = std::move(snapshot);
    removed_ = false;
    ended_ = false;
}

void KpiUnit::remove() {
    const MutexLock lock(mutex_);
    removed_ = true;
}

bool KpiUnit::gone() const {
    const MutexLock lock(mutex_);
    return removed_ && ended_;
}

Duration KpiUnit::interval() const {
    const MutexLock lock(mutex_);
    return view_.entry->definition.evaluate.interval.value_or(
        snapshot_.config->global.evaluation_interval);
}

KpiView KpiUnit::view() const {
    const MutexLock lock(mutex_);
    return view_;
}

void KpiUnit::evaluate(Timestamp now, MonoTime cause_accepted_at) {
    const MonoTime started = context_.clock.mono_now();
    bool removed = false;
    {
        const MutexLock lock(mutex_);
        removed = removed_;
        current_ = snapshot_;
    }
    if (removed) {
        evaluate_removal(now);
        return;
    }
    if (std::exchange(engine_, current_.engine) != current_.engine || !queries_) {
        entry_ = current_.config->find_kpi(id_);
        queries_.emplace(context_, *entry_);
        take_up_value(now);
    }
    context_.metrics.kpi_evaluations.Increment();
    Inputs inputs;
    kpi::Evaluation evaluation = queries_->evaluate(current_, now, inputs);
    evaluation.valid_for = valid_for(inputs);
    const kpi::Report report = tracker_.evaluate(entry_->definition, now, evaluation);
    if (evaluation.error) {
        context_.metrics.kpi_failures.Increment();
        context_.log.warn("a KPI could not be evaluated",
                          {{"kpi", id_}, {"error", *evaluation.error}});
    }
    context_.metrics.bounds_missing.Increment(static_cast<double>(report.bounds_missing));

    const auto transitions = alerts_.update(
        now, condition_update(report, inputs, now, cause_accepted_at),
        [&](const alerting::DetailsRequest& request) {
            return kpi_alert_details(context_, current_, *entry_, report, request, now);
        });
    hand_over(now, transitions);
    publish(report, evaluation.error.value_or(""), now, started);
    record_alerts(now);
    const std::string& owner = entry_->definition.owner;
    static_cast<void>(
        update_list(report.without_value ? owner : "", alerting::EndReason::kResolved, now));
}

// Of series that are gone, what was seen of them tells.
Duration KpiUnit::valid_for(const Inputs& inputs) {
    if (std::exchange(rules_, current_.valid_for) != current_.valid_for) {
        seen_valid_for_.reset();
    }
    if (!inputs.newest.empty()) {
        seen_valid_for_ = inputs.valid_for;
    }
    return std::max(inputs.valid_for, seen_valid_for_).value_or(kValidForDefault);
}

// State belongs to what was judged: with another value it begins anew, and what fired has ended.
void KpiUnit::take_up_value(Timestamp now) {
    std::string value = promql::to_string(*entry_->value);
    if (judged_value_ == value) {
        return;
    }
    if (judged_value_) {
        for (alerting::Transition& transition : alerts_.remove_all(now)) {
            outgoing_.add(std::move(transition.alert));
        }
        tracker_ = kpi::Tracker(now);
        // By itself, so that the end is told even where the same alert begins in this evaluation.
        outgoing_.write(alerts_key(id_), alerts_.snapshot());
        outgoing_.write(tracker_key(id_), tracker_.snapshot());
        outgoing_.write(value_key(id_), value);
        static_cast<void>(outgoing_.hand_over(context_, id_, now));
    } else {
        outgoing_.write(value_key(id_), value);
    }
    judged_value_ = std::move(value);
}

void KpiUnit::evaluate_removal(Timestamp now) {
    for (alerting::Transition& transition : alerts_.remove_all(now)) {
        outgoing_.add(std::move(transition.alert));
    }
    tracker_ = kpi::Tracker(now);
    queries_.reset();
    outgoing_.write(tracker_key(id_), std::nullopt);
    outgoing_.write(alerts_key(id_), std::nullopt);
    outgoing_.write(value_key(id_), std::nullopt);
    judged_value_.reset();
    const bool handed_over = outgoing_.hand_over(context_, id_, now);
    const bool off_the_list = update_list("", alerting::EndReason::kRemoved, now);
    record_alerts(now);
    first_hand_over_ = true;  // Should the definition come back.
    const MutexLock lock(mutex_);
    ended_ = removed_ && handed_over && off_the_list;
}

// Moves the KPI to the owner's list of KPIs without a value, or off all lists. What could not be
// handed over is tried again with the next evaluation.
bool KpiUnit::update_list(const std::string& owner, alerting::EndReason reason, Timestamp now) {
    if (listed_owner_ == owner) {
        without_value_.tell(owner, now, interval());
        return true;
    }
    if (!listed_owner_.empty()) {
        if (!without_value_.remove(listed_owner_, id_, reason, now)) {
            return false;
        }
        listed_owner_.clear();
    }
    if (!owner.empty()) {
        if (!without_value_.add(owner, id_, now)) {
            return false;
        }
        listed_owner_ = owner;
    }
    return true;
}

alerting::ConditionUpdate KpiUnit::condition_update(const kpi::Report& report, const Inputs& inputs,
                                                    Timestamp now, MonoTime cause) const {
    const bool may_end = ending_allowed(context_, inputs, now);
    alerting::ConditionUpdate update{
        .expired = report.expired, .replaced = report.replaced, .cause_accepted_at = cause};
    for (const kpi::InstanceReport& instance : report.instances) {
        alerting::InstanceInput input{
            .labels = instance.labels,
            .value = instance.value.value_or(std::numeric_limits<double>::quiet_NaN()),
            .newest_sample = instance.last_sample,
            .may_end = may_end};
        input.conditions.push_back(threshold_input(instance));
        input.conditions.push_back(no_data_input(instance, entry_->definition));
        if (report.failed) {
            for (alerting::ConditionInput& condition : input.conditions) {
                condition.judged = false;
            }
        }
        update.instances.push_back(std::move(input));
    }
    return update;
}

void KpiUnit::hand_over(Timestamp now, const std::vector<alerting::Transition>& transitions) {
    if (std::exchange(first_hand_over_, false)) {
        for (alerting::Alert& alert : alerts_.ended()) {
            outgoing_.add(std::move(alert));
        }
        for (alerting::ActiveAlert& active : alerts_.active()) {
            if (active.state == alerting::AlertState::kFiring) {
                outgoing_.add(std::move(active.alert));
            }
        }
    } else {
        for (const alerting::Transition& transition : transitions) {
            outgoing_.add(transition.alert);
        }
    }
    if (tracker_.changed_since_snapshot() || now - saved_at_ >= kSaveEvery) {
        outgoing_.write(tracker_key(id_), tracker_.snapshot());
        saved_at_ = now;
    }
    if (alerts_.changed_since_snapshot()) {
        outgoing_.write(alerts_key(id_), alerts_.snapshot());
    }
    static_cast<void>(outgoing_.hand_over(context_, id_, now));
}

// A series has one value at one instant: of evaluations at the same instant the first is recorded,
// and the next instant shows what the others changed.
void KpiUnit::record_alerts(Timestamp now) {
    if (std::exchange(recorded_at_, now) != now) {
        record(context_, alerts_.series(now));
    }
}

void KpiUnit::publish(const kpi::Report& report, const std::string& error, Timestamp now,
                      MonoTime started) {
    std::vector<alerting::ActiveAlert> active = alerts_.active();
    const std::chrono::duration<double> took = context_.clock.mono_now() - started;
    const MutexLock lock(mutex_);
    view_.report = report;
    view_.last_evaluation = now;
    view_.evaluation_duration = took;
    view_.error = error;
    view_.alerts = std::move(active);
}

}  // namespace kpid::evaluate
