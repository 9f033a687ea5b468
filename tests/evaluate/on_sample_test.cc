// Evaluation by samples: at once, once per request, and not more often than needed.
#include "evaluate/evaluate_fixture.h"

namespace kpid::evaluate::testing {
namespace {

const std::string kOnSample = "critical: 4, evaluate: on_sample";

class OnSample : public EvaluateTest {
protected:
    /// Evaluations since the last call.
    [[nodiscard]] int evaluations() {
        const double all = kpi_evaluations();
        return static_cast<int>(all - std::exchange(seen_, all));
    }
    void given_on_sample(const std::string& expr = "csat", const std::string& more = "") {
        given(kpis(kpi("csat", kOnSample + more, expr)));
        // Away from the aligned instants.
        while (evaluations() > 0) {
            advance(1s);
        }
        advance(100ms);
        static_cast<void>(evaluations());
    }

private:
    double seen_ = 0;
};

TEST_F(OnSample, EvaluatesAtOnce) {
    given_on_sample();
    push("csat", 1);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

TEST_F(OnSample, EvaluatesOncePerRequest) {
    given_on_sample("sum(csat)");
    push_all({{"csat", {{"shop", "a"}}, 1},
              {"csat", {{"shop", "b"}}, 1},
              {"csat", {{"shop", "c"}}, 1},
              {"other", {}, 1}});
    advance(50ms);
    EXPECT_EQ(evaluations(), 1);
}

TEST_F(OnSample, EvaluatesABurstAtItsFirstAndTenMillisecondsLater) {
    given_on_sample();
    push("csat", 5);
    EXPECT_EQ(evaluations(), 1);
    for (int i = 0; i < 5; ++i) {
        advance(1ms);
        push("csat", 5 - i);
    }
    EXPECT_EQ(evaluations(), 0);
    EXPECT_THAT(told(), IsEmpty());
    advance(5ms);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    // The burst goes on: again at most ten milliseconds after.
    advance(3ms);
    push("csat", 5);
    EXPECT_EQ(evaluations(), 0);
    advance(7ms);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
    advance(1s);
    EXPECT_EQ(evaluations(), 0);
}

TEST_F(OnSample, LosesNoSampleAtTheVeryEndOfABurst) {
    given_on_sample();
    push("csat", 5);
    advance(4ms);
    push("csat", 5);
    advance(6ms);  // The end of the burst was evaluated this very instant.
    static_cast<void>(evaluations());
    push_all({{"csat", {}, 1, 1ms}});
    advance(10ms);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

TEST_F(OnSample, EvaluatesAtTheSampleWhenThatLiesAhead) {
    given_on_sample();
    push_all({{"csat", {}, 1, 2s}});
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    advance(1ms);
    push_all({{"csat", {}, 5, 3s}});  // Within the burst, and ahead as well.
    advance(10ms);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
}

TEST_F(OnSample, IgnoresSamplesThatHoldNoMore) {
    given_on_sample();
    push_all({{"csat", {}, 1, -5min}});
    EXPECT_EQ(evaluations(), 0);
    push_all({{"csat", {}, 1, -5min + 1ms}});
    EXPECT_EQ(evaluations(), 1);
}

TEST_F(OnSample, IgnoresWhatKpidRecorded) {
    given_on_sample();
    push_all({{"csat", {}, 1}}, model::AppendOrigin::kRecorded);
    advance(50ms);
    EXPECT_EQ(evaluations(), 0);
}

TEST_F(OnSample, IgnoresSeriesThatTheSelectorsDoNotMatch) {
    given_on_sample("csat{shop=\"de\"}");
    push("csat", {{"shop", "at"}}, 1);
    EXPECT_EQ(evaluations(), 0);
    push("csat", {{"shop", "de"}}, 1);
    EXPECT_EQ(evaluations(), 1);
}

TEST_F(OnSample, MatchesSelectorsWithoutAFixedName) {
    given_on_sample("max({__name__=~\"cs.*\"})");
    push("csat", 1);
    EXPECT_EQ(evaluations(), 1);
}

TEST_F(OnSample, EvaluatesByIntervalToo) {
    given_on_sample();
    advance(60s);
    EXPECT_EQ(evaluations(), 2);
}

TEST_F(OnSample, WaitsForAllMetricsOfTheExpression) {
    given_on_sample("good / bad");
    push_all({{"good", {}, 1, 0ms}});
    advance(20ms);
    EXPECT_EQ(evaluations(), 0);
    push_all({{"bad", {}, 2, -20ms}});  // The same timestamp: complete.
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    advance(200ms);
    EXPECT_EQ(evaluations(), 0);  // The wait ended with it.
}

TEST_F(OnSample, NeedsNoWaitWithAllMetricsInOneRequest) {
    given_on_sample("good / bad");
    push_all({{"good", {}, 1, 0ms}, {"bad", {}, 2, -7s}});
    EXPECT_EQ(evaluations(), 1);
}

TEST_F(OnSample, WaitsAtMostItsTime) {
    given_on_sample("good / bad", ", wait_for_all: 60ms");
    push_all({{"bad", {}, 2, -1s}});
    advance(1s);
    static_cast<void>(evaluations());
    push("good", 1);
    advance(59ms);
    EXPECT_EQ(evaluations(), 0);
    advance(1ms);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
    // And again: each sample that stands alone has its own wait.
    advance(1ms);
    push("good", 80);
    advance(60ms);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("resolved csat/threshold/critical"));
}

TEST_F(OnSample, LosesNoSampleThatComesWhenTheWaitEnds) {
    given_on_sample("good / bad", ", wait_for_all: 60ms");
    push("bad", 2);
    advance(1s);
    push("good", 80);
    advance(60ms);
    static_cast<void>(evaluations());
    push_all({{"good", {}, 1, 1ms}});
    advance(60ms);
    EXPECT_EQ(evaluations(), 1);
    EXPECT_THAT(told(), ElementsAre("firing csat/threshold/critical"));
}

TEST_F(OnSample, CountsWhatSamplesAskedFor) {
    given_on_sample();
    push("csat", 1);
    advance(1s);
    push("csat", 1);
    EXPECT_EQ(metric("kpid_evaluation_sample_triggers_total"), 2);
}

TEST_F(OnSample, TellsWhenTheSampleWasAccepted) {
    given_on_sample();
    push("csat", 1);
    EXPECT_EQ(sink_.newest("csat/threshold/critical").cause_accepted_at, sim_.clock().mono_now());
}

TEST_F(OnSample, FollowsAReload) {
    given(kpis(kpi("csat", "critical: 4")));
    advance(1s);
    static_cast<void>(evaluations());
    push("csat", 1);
    EXPECT_EQ(evaluations(), 0);
    given_on_sample();
    push("csat", 1);
    EXPECT_EQ(evaluations(), 1);
}

}  // namespace
}  // namespace kpid::evaluate::testing
