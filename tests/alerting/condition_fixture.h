#pragma once
// The alerts of one KPI with warning and critical under test, walked minute by minute.

#include "kpid/alerting/condition_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace kpid::alerting {

enum class Zone { kGood, kWarning, kCritical, kUnknown };

class ConditionFixture : public testing::Test {
protected:
    static Timestamp at(int minute) { return Timestamp(1'800'000'000'000) + minutes(minute); }
    static std::chrono::minutes minutes(int count) { return std::chrono::minutes(count); }
    static model::Labels base() { return {{"alertname", "csat"}, {"kpi", "csat"}}; }

    [[nodiscard]] InstanceInput input(Zone zone, const model::Labels& labels = {}) const {
        InstanceInput instance{.labels = labels,
                               .value = value_,
                               .newest_sample = newest_sample_,
                               .may_end = may_end_};
        ConditionInput threshold{.condition = "threshold", .judged = zone != Zone::kUnknown};
        if (with_warning_) {
            threshold.levels.push_back({.severity = warning_severity_,
                                        .active = zone == Zone::kWarning,
                                        .hold = warning_hold_,
                                        .keep_firing_for = keep_firing_for_});
        }
        threshold.levels.push_back({.severity = critical_severity_,
                                    .active = zone == Zone::kCritical,
                                    .hold = critical_hold_,
                                    .keep_firing_for = keep_firing_for_});
        instance.conditions.push_back(std::move(threshold));
        return instance;
    }
    /// What happens at that minute, "ended warning superseded, started critical".
    std::string walk(int minute, Zone zone) {
        return update(minute, ConditionUpdate{.instances = {input(zone)}});
    }
    std::string update(int minute, const ConditionUpdate& update) {
        transitions_ = alerts_.update(
            at(minute), update, [this](const DetailsRequest& request) { return details(request); });
        return text(transitions_);
    }
    AlertDetails details(const DetailsRequest& request) const {
        AlertDetails out{.attached = attached_, .annotations = annotations_};
        out.kpi.id = "csat";
        out.kpi.value = request.value;
        return out;
    }
    static std::string text(const std::vector<Transition>& transitions) {
        std::string out;
        for (const Transition& transition : transitions) {
            const Alert& alert = transition.alert;
            out += out.empty() ? "" : ", ";
            out += transition.kind == TransitionKind::kStarted   ? "started "
                   : transition.kind == TransitionKind::kChanged ? "changed "
                                                                 : "ended ";
            out += alert.labels.get("severity");
            out += alert.ended == EndReason::kNone ? "" : " ";
            out += to_string(alert.ended);
        }
        return out;
    }
    /// "warning firing, critical pending".
    [[nodiscard]] std::string active() const {
        std::string out;
        for (const ActiveAlert& active : alerts_.active()) {
            out += out.empty() ? "" : ", ";
            out += active.alert.labels.get("severity");
            out += " ";
            out += to_string(active.state);
        }
        return out;
    }
    void restart() {
        Result<ConditionAlerts> restored = ConditionAlerts::restore(base(), alerts_.snapshot());
        ASSERT_TRUE(restored) << restored.error().message;
        ASSERT_EQ(restored->snapshot(), alerts_.snapshot());
        alerts_ = *std::move(restored);
    }

    double value_ = 3;
    std::optional<Timestamp> newest_sample_;
    bool may_end_ = false;
    bool with_warning_ = true;
    std::string warning_severity_ = "warning";
    std::string critical_severity_ = "critical";
    Duration warning_hold_{0};
    Duration critical_hold_{0};
    Duration keep_firing_for_{0};
    model::Labels attached_{{"owner", "sre"}};
    std::map<std::string, std::string> annotations_;
    ConditionAlerts alerts_{base()};
    std::vector<Transition> transitions_;
};

}  // namespace kpid::alerting
