#pragma once
// An alerting rule under test, evaluated minute by minute.

#include "kpid/alerting/rule_state.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace kpid::alerting {

class RuleFixture : public testing::Test {
protected:
    static Timestamp at(int minute) { return Timestamp(1'800'000'000'000) + minutes(minute); }
    static std::chrono::minutes minutes(int count) { return std::chrono::minutes(count); }

    /// Templates of the tests: "$v" is the value, "$job" the label.
    static std::string expand(std::string_view text, const model::Labels& labels, double value) {
        if (text == "$v") {
            return std::to_string(static_cast<int>(value));
        }
        return text == "$job" ? std::string(labels.get("job")) : std::string(text);
    }
    Result<RuleUpdate> evaluate(int minute, const std::vector<RuleValue>& vector,
                                bool may_end = true) {
        Result<RuleUpdate> out = state_.update(at(minute), rule_, vector, expand, {}, may_end);
        if (out) {
            last_ = *out;
        }
        return out;
    }
    /// "started down/a, ended down/b resolved": what happens when the jobs are in the vector.
    std::string walk(int minute, const std::vector<std::string>& jobs, bool may_end = true) {
        std::vector<RuleValue> vector;
        for (const std::string& job : jobs) {
            vector.push_back({.labels = {{"__name__", "up"}, {"job", job}}, .value = value_});
        }
        const Result<RuleUpdate> out = evaluate(minute, vector, may_end);
        return out ? text(out->transitions) : out.error().message;
    }
    static std::string text(const std::vector<Transition>& transitions) {
        std::string out;
        for (const Transition& transition : transitions) {
            out += out.empty() ? "" : ", ";
            out += transition.kind == TransitionKind::kStarted   ? "started "
                   : transition.kind == TransitionKind::kChanged ? "changed "
                                                                 : "ended ";
            out += transition.alert.labels.get("job");
            out += transition.alert.firing() ? "" : " ";
            out += to_string(transition.alert.ended);
        }
        return out;
    }
    [[nodiscard]] std::string active() const {
        std::string out;
        for (const ActiveAlert& active : state_.active()) {
            out += out.empty() ? "" : ", ";
            out += active.alert.labels.get("job");
            out += active.state == AlertState::kFiring ? " firing" : " pending";
        }
        return out;
    }

    AlertingRule rule_{.name = "down"};
    double value_ = 0;
    RuleState state_;
    RuleUpdate last_;
};

}  // namespace kpid::alerting
