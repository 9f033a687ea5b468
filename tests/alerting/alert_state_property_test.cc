// Random walks through a KPI's levels: what must hold whatever happens.
#include "condition_fixture.h"

#include <map>
#include <random>
#include <set>

namespace kpid::alerting {
namespace {

class AlertStatePropertyTest : public ConditionFixture {
protected:
    // Counts starts and ends by fingerprint: they must alternate.
    void check_transitions() {
        for (const Transition& transition : transitions_) {
            const std::string id = transition.alert.fingerprint();
            switch (transition.kind) {
                case TransitionKind::kStarted:
                    ASSERT_TRUE(open_.insert(id).second) << "started twice";
                    ASSERT_TRUE(transition.alert.firing());
                    break;
                case TransitionKind::kChanged:
                    ASSERT_TRUE(open_.contains(id));
                    break;
                case TransitionKind::kEnded:
                    ASSERT_EQ(open_.erase(id), 1U) << "ended without a start";
                    ASSERT_FALSE(transition.alert.firing());
                    ASSERT_LE(transition.alert.starts_at, transition.alert.ends_at);
                    ASSERT_EQ(transition.alert.ended == EndReason::kSuperseded,
                              !transition.alert.kpi->superseded_by.empty());
                    if (transition.alert.ended == EndReason::kSuperseded) {
                        successors_.insert(transition.alert.kpi->superseded_by);
                    }
                    break;
            }
        }
        for (const std::string& successor : successors_) {
            ASSERT_TRUE(open_.contains(successor)) << "superseded by nothing";
        }
        successors_.clear();
    }
    // At most one level of an instance fires; what fires is what was said to have started.
    void check_active() {
        std::map<std::string, int> firing;
        std::set<std::string> ids;
        for (const ActiveAlert& active : alerts_.active()) {
            if (active.state == AlertState::kFiring) {
                ++firing[std::string(active.alert.labels.get("shop"))];
                ids.insert(active.alert.fingerprint());
            }
        }
        for (const auto& [shop, count] : firing) {
            ASSERT_EQ(count, 1) << shop;
        }
        ASSERT_EQ(ids, open_);
    }

    std::set<std::string> open_;
    std::set<std::string> successors_;
};

TEST_F(AlertStatePropertyTest, HoldsOnRandomWalks) {
    may_end_ = true;
    for (unsigned seed = 1; seed <= 15; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        alerts_ = ConditionAlerts(base());
        ConditionAlerts twin(base());
        open_.clear();
        warning_hold_ = minutes(static_cast<int>(random() % 4));
        critical_hold_ = minutes(static_cast<int>(random() % 4));
        keep_firing_for_ = minutes(static_cast<int>(random() % 4));
        int minute = 0;
        for (int step = 0; step < 150; ++step) {
            minute += static_cast<int>(random() % 3);
            if (random() % 20 == 0) {
                warning_severity_ = random() % 2 == 0 ? "warning" : "critical";
            }
            with_warning_ = random() % 15 != 0;
            ConditionUpdate change;
            for (const char* shop : {"a", "b"}) {
                change.instances.push_back(
                    input(static_cast<Zone>(random() % 4), {{"shop", shop}}));
            }
            if (random() % 12 == 0) {
                change.instances.pop_back();
                change.expired = {{{"shop", "b"}}};
            }
            const std::string happened = update(minute, change);
            ASSERT_NO_FATAL_FAILURE(check_transitions());
            ASSERT_NO_FATAL_FAILURE(check_active());

            // Stopped and started at any time it goes on alike.
            Result<ConditionAlerts> restored = ConditionAlerts::restore(base(), twin.snapshot());
            ASSERT_TRUE(restored);
            twin = *std::move(restored);
            ASSERT_EQ(text(twin.update(at(minute), change,
                                       [this](const DetailsRequest& r) { return details(r); })),
                      happened);
            ASSERT_EQ(twin.snapshot(), alerts_.snapshot());
        }
        transitions_ = alerts_.remove_all(at(minute + 1));
        ASSERT_NO_FATAL_FAILURE(check_transitions());
        ASSERT_TRUE(open_.empty()) << "every start has an end";
    }
}

}  // namespace
}  // namespace kpid::alerting
