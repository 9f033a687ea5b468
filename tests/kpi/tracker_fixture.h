#pragma once
// A KPI under test: feeds values minute by minute and reads what the tracker says.

#include "kpid/kpi/tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace kpid::kpi {

inline Condition at_least(double a) {
    return {.op = Operator::kAtLeast, .a = a};
}
inline Condition at_most(double a) {
    return {.op = Operator::kAtMost, .a = a};
}
inline Condition above(double a) {
    return {.op = Operator::kAbove, .a = a};
}
inline Condition below(double a) {
    return {.op = Operator::kBelow, .a = a};
}

class TrackerFixture : public testing::Test {
protected:
    static Timestamp at(int minute) { return Timestamp(1'800'000'000'000) + minutes(minute); }
    static std::chrono::minutes minutes(int count) { return std::chrono::minutes(count); }

    using Values = std::vector<std::pair<model::Labels, double>>;

    const Report& evaluate(int minute, const Values& values) {
        Evaluation evaluation;
        for (const auto& [labels, value] : values) {
            evaluation.instances.push_back(InstanceValue{
                .labels = labels, .value = value, .bounds = bounds_, .require = require_});
        }
        return evaluate(minute, evaluation);
    }
    const Report& evaluate(int minute, const Evaluation& evaluation) {
        report_ = tracker_.evaluate(kpi_, at(minute), evaluation);
        return report_;
    }
    /// The status of the instance without labels after this value.
    Status judge(int minute, double value) {
        return evaluate(minute, Values{{{}, value}}).instances.at(0).status;
    }
    const InstanceReport& instance(const model::Labels& labels = {}) {
        const auto found =
            std::find_if(report_.instances.begin(), report_.instances.end(),
                         [&labels](const InstanceReport& i) { return i.labels == labels; });
        EXPECT_NE(found, report_.instances.end()) << labels.to_string();
        static const InstanceReport kNone;
        return found == report_.instances.end() ? kNone : *found;
    }
    /// "threshold/warning threshold/critical": the conditions that are active.
    std::string active(const model::Labels& labels = {}) {
        std::string text;
        for (const ActiveCondition& c : instance(labels).active) {
            text += (text.empty() ? "" : " ") + c.condition + "/" + c.severity;
        }
        return text;
    }
    void restart(int minute) {
        Result<Tracker> restored = Tracker::restore(tracker_.snapshot(), at(minute));
        ASSERT_TRUE(restored) << restored.error().message;
        tracker_ = *std::move(restored);
    }

    Definition kpi_{
        .id = "error_ratio",
        .better = Better::kLower,
        .target = at_most(1),
        .warning = Level{.condition = above(1), .recover = at_most(0.8)},
        .critical = Level{.condition = above(5), .recover = at_most(4)},
    };
    std::vector<std::optional<double>> bounds_;
    std::optional<double> require_;
    Tracker tracker_{at(0)};
    Report report_;
};

}  // namespace kpid::kpi
