// Random walks: what must hold whatever the values are.
#include "tracker_fixture.h"

#include <random>

namespace kpid::kpi {
namespace {

class TrackerPropertyTest : public TrackerFixture {
protected:
    // A report as text, to compare two trackers.
    static std::string text(const Report& report) {
        std::string out(to_string(report.status));
        out += std::to_string(report.since.ms()) + (report.without_value ? "w" : "");
        for (const InstanceReport& i : report.instances) {
            out += i.labels.to_string() + std::string(to_string(i.status)) +
                   std::string(to_string(i.previous)) + std::to_string(i.since.ms()) +
                   std::to_string(report.failed ? -1 : i.value.value_or(-1)) +
                   (i.judged ? "j" : "");
            for (const ActiveCondition& c : i.active) {
                out += c.condition + c.severity;
            }
        }
        for (const model::Labels& labels : report.expired) {
            out += "-" + labels.to_string();
        }
        return out;
    }

    Evaluation random_evaluation(std::mt19937& random) {
        Evaluation evaluation;
        if (random() % 10 == 0) {
            evaluation.error = "timeout";
            return evaluation;
        }
        for (const char* shop : {"a", "b", "c"}) {
            if (random() % 4 != 0) {
                evaluation.instances.push_back(
                    InstanceValue{.labels = model::Labels{{"shop", shop}},
                                  .value = static_cast<double>(random() % 80) / 10,
                                  .require = static_cast<double>(random() % 40)});
            }
        }
        return evaluation;
    }
};

TEST_F(TrackerPropertyTest, HoldsOnRandomWalks) {
    kpi_.require = Require{.expr = "n", .condition = at_least(5)};
    kpi_.no_data = NoData{.after = minutes(7), .forget_instance_after = minutes(20)};
    kpi_.expect = {model::Labels{{"shop", "a"}}, model::Labels{{"shop", "z"}}};
    for (unsigned seed = 1; seed <= 30; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937 random(seed);
        tracker_ = Tracker(at(0));
        Tracker twin(at(0));
        int minute = 0;
        for (int step = 0; step < 200; ++step) {
            minute += static_cast<int>(random() % 5);
            const Evaluation evaluation = random_evaluation(random);
            evaluate(minute, evaluation);
            ASSERT_EQ(text(twin.evaluate(kpi_, at(minute), evaluation)), text(report_));
            for (const InstanceReport& i : report_.instances) {
                ASSERT_LE(badness(i.status), badness(report_.status));
                ASSERT_LE(i.since, at(minute));
                if (i.judged) {
                    ASSERT_EQ(i.status == Status::kCritical, i.active.size() == 2);
                    ASSERT_TRUE(!i.value || *i.value <= 5 || i.status == Status::kCritical);
                    ASSERT_TRUE(!i.value || *i.value > 0.8 || i.status == Status::kOnTarget);
                }
                if (i.changed) {
                    ASSERT_EQ(i.since, at(minute));
                }
            }
            // A twin that was stopped and started long enough before goes on alike. The grace after
            // a start is longer than no_data.after only when silence was not yet declared, so
            // restart when fresh.
            if (evaluation.instances.size() == 3 && !evaluation.error) {
                Result<Tracker> restored = Tracker::restore(twin.snapshot(), at(0));
                ASSERT_TRUE(restored);
                twin = *std::move(restored);
                ASSERT_EQ(twin.snapshot(), tracker_.snapshot());
            }
        }
    }
}

}  // namespace
}  // namespace kpid::kpi
