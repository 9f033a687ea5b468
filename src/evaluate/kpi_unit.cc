// The evaluation of one KPI, from query to alerts.
#include "evaluate/kpi_unit.h"

#include "evaluate/kpi_details.h"
#include "kpid/base/assert.h"

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
    if (!stored || !*stored) {
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

KpiUnit::KpiUnit(const Context& context, std::string id, Snapshot snapshot,
                 OnWithoutValue on_without_value)
    : context_(context),
      id_(std::move(id)),
      on_without_value_(std::move(on_without_value)),
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
}

void KpiUnit::set(Snapshot snapshot) {
    const config::KpiEntry* entry = snapshot.config->find_kpi(id_);
    KPID_ASSERT(entry != nullptr);  // A KPI that went away is removed, not set.
    const MutexLock lock(mutex_);
    view_.config = snapshot.config;
    view_.entry = entry;
    snapshot_ = std::move(snapshot);
}

void KpiUnit::remove() {
    const MutexLock lock(mutex_);
    removed_ = true;
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
    entry_ = current_.config->find_kpi(id_);
    context_.metrics.kpi_evaluations.Increment();
    Inputs inputs;
    const kpi::Evaluation evaluation = query_evaluation(context_, current_, *entry_, now, inputs);
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
            return kpi_alert_details(context_, *current_.config, *entry_, report, request, now);
        });
    hand_over(now, transitions);
    publish(report, evaluation.error.value_or(""), now, started);
    record(context_, alerts_.series(now));
    if (report.without_value != without_value_) {
        without_value_ = report.without_value;
        on_without_value_(id_, without_value_);
    }
}

void KpiUnit::evaluate_removal(Timestamp now) {
    std::vector<alerting::Alert> ended;
    for (alerting::Transition& transition : alerts_.remove_all(now)) {
        ended.push_back(std::move(transition.alert));
    }
    const std::vector<model::StateWrite> erase{{tracker_key(id_), std::nullopt},
                                               {alerts_key(id_), std::nullopt}};
    const Result<void> submitted = context_.sink.submit(now, ended, erase);
    if (!submitted) {
        // The stored state is still there: the next start finds it and ends these alerts.
        context_.metrics.submit_failures.Increment();
        context_.log.error("the alerts of a removed KPI could not be ended",
                           {{"kpi", id_}, {"error", submitted.error().message}});
    }
    record(context_, alerts_.series(now));
    if (std::exchange(without_value_, false)) {
        on_without_value_(id_, false);
    }
}

alerting::ConditionUpdate KpiUnit::condition_update(const kpi::Report& report, const Inputs& inputs,
                                                    Timestamp now, MonoTime cause) const {
    const bool ending_allowed = may_end(inputs, now);
    alerting::ConditionUpdate update{.expired = report.expired, .cause_accepted_at = cause};
    for (const kpi::InstanceReport& instance : report.instances) {
        alerting::InstanceInput input{
            .labels = instance.labels,
            .value = instance.value.value_or(std::numeric_limits<double>::quiet_NaN()),
            .newest_sample = instance.last_sample,
            .may_end = ending_allowed};
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

// After a start: what is pushed has no source to wait for; polled series wait until their source
// answered again, at most as long as a sample is valid.
bool KpiUnit::may_end(const Inputs& inputs, Timestamp now) const {
    if (now - context_.started_at >= kValidForDefault) {
        return true;
    }
    if (inputs.newest.empty()) {
        return context_.sources.all_answered_since_start();
    }
    return std::all_of(inputs.jobs.begin(), inputs.jobs.end(), [&](const std::string& job) {
        return !context_.sources.is_polled(job) || context_.sources.answered_since_start(job);
    });
}

void KpiUnit::hand_over(Timestamp now, const std::vector<alerting::Transition>& transitions) {
    std::vector<alerting::Alert> alerts;
    if (hand_over_all_) {
        for (alerting::Alert& alert : alerts_.ended()) {
            alerts.push_back(std::move(alert));
        }
        for (alerting::ActiveAlert& active : alerts_.active()) {
            if (active.state == alerting::AlertState::kFiring) {
                alerts.push_back(std::move(active.alert));
            }
        }
    } else {
        for (const alerting::Transition& transition : transitions) {
            alerts.push_back(transition.alert);
        }
    }
    std::vector<model::StateWrite> writes;
    if (hand_over_all_ || tracker_.changed_since_snapshot()) {
        writes.push_back({tracker_key(id_), tracker_.snapshot()});
    }
    if (hand_over_all_ || alerts_.changed_since_snapshot()) {
        writes.push_back({alerts_key(id_), alerts_.snapshot()});
    }
    if (alerts.empty() && writes.empty()) {
        return;
    }
    const Result<void> submitted = context_.sink.submit(now, alerts, writes);
    hand_over_all_ = !submitted;
    if (!submitted) {
        context_.metrics.submit_failures.Increment();
        context_.log.error(
            "alerts could not be handed over, they are again with the next evaluation",
            {{"kpi", id_}, {"error", submitted.error().message}});
    }
}

void KpiUnit::publish(const kpi::Report& report, const std::string& error, Timestamp now,
                      MonoTime started) {
    std::vector<alerting::ActiveAlert> active = alerts_.active();
    const auto took = std::chrono::duration_cast<Duration>(context_.clock.mono_now() - started);
    const MutexLock lock(mutex_);
    view_.report = report;
    view_.last_evaluation = now;
    view_.evaluation_duration = took;
    view_.error = error;
    view_.alerts = std::move(active);
}

}  // namespace kpid::evaluate
