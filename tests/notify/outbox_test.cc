// The outbox: grouping, order, limits, and what people do to messages by hand.

#include "notify/notify_fixture.h"

#include <set>

namespace kpid::notify::testing {
namespace {

class Outbox : public NotifyTest {
protected:
    std::vector<alerting::Alert> sixty() {
        std::vector<alerting::Alert> alerts;
        for (int i = 0; i < 60; ++i) {
            alerts.push_back(firing("shop" + std::to_string(i)));
        }
        return alerts;
    }
};

TEST_F(Outbox, MakesOneMessageOfSixtyAlertsThatComeTogether) {
    config_.alerting.route.group_by = std::vector<std::string>{"alertname"};
    start();
    submit_well(sixty());
    ASSERT_EQ(transport_.count(), 1U);
    EXPECT_EQ(messages().at(0).alerts.size(), 60U);
    sim_.advance(10min);
    EXPECT_EQ(transport_.count(), 1U);
}

TEST_F(Outbox, DoesNotTellTheSameFiringAlertAgain) {
    start();
    for (int i = 0; i < 5; ++i) {
        submit_well({firing("de")});
        sim_.advance(1min);
    }
    EXPECT_EQ(told(), std::vector<std::string>{"+de"});
}

TEST_F(Outbox, WaitsAsTheRouteSays) {
    config_.alerting.route.group_by = std::vector<std::string>{"alertname"};
    config_.alerting.route.group_wait = 5s;
    config_.alerting.route.group_interval = 1min;
    config_.alerting.route.repeat_interval = 1h;
    start();
    submit_well({firing("de")});
    sim_.advance(4s);
    submit_well({firing("fr")});
    EXPECT_EQ(transport_.count(), 0U);
    sim_.advance(1s);
    EXPECT_EQ(told(), std::vector<std::string>{"+de +fr"});
    submit_well({firing("it")});
    sim_.advance(59s);
    EXPECT_EQ(transport_.count(), 1U);
    sim_.advance(1s);
    EXPECT_EQ(transport_.count(), 2U);
    sim_.advance(1h);
    EXPECT_EQ(transport_.count(), 3U);
}

TEST_F(Outbox, KeepsTheOrderOfAGroupWhileItsFirstMessageFails) {
    start();
    transport_.answer_always(kOps, http_answer(500));
    submit_well({firing("de")});
    submit_well({ended(firing("de"), now())});
    submit_well({firing("fr")});
    sim_.advance(1min);
    const std::vector<std::string> failing = told();
    EXPECT_EQ(std::count(failing.begin(), failing.end(), "-de"), 0);
    EXPECT_GT(std::count(failing.begin(), failing.end(), "+fr"), 1);
    transport_.forget_requests();
    transport_.answer_always(kOps, http_answer(200));
    sim_.advance(5min);
    const std::vector<std::string> after = told();
    ASSERT_EQ(after.size(), 3U);
    EXPECT_LT(std::find(after.begin(), after.end(), "+de"),
              std::find(after.begin(), after.end(), "-de"));
}

TEST_F(Outbox, RunsABoundedNumberOfRequestsAReceiver) {
    start();
    transport_.hold(kOps);
    submit_well(sixty());
    EXPECT_EQ(transport_.waiting(kOps), Notifier::kConcurrency);
    EXPECT_EQ(messages(MessageState::kPending).size(), 60U);
    std::size_t answered = 0;
    while (transport_.answer_held(kOps, http_answer(200))) {
        ++answered;
        sim_.run_until_idle();
        EXPECT_LE(transport_.waiting(kOps), Notifier::kConcurrency);
    }
    EXPECT_EQ(answered, 60U);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 60U);
    EXPECT_EQ(metric("kpid_notifications_pending", {{"receiver", "ops"}}), 0.0);
}

TEST_F(Outbox, LetsOneSlowReceiverDelayNoOther) {
    config_.alerting.receivers.push_back(receiver("pager", {kPager}));
    alerting::Route child;
    child.receiver = "pager";
    child.matchers = {model::Matcher::equal("severity", "critical")};
    config_.alerting.route.routes = {child};
    start();
    transport_.hold(kOps);
    submit_well(sixty());
    submit_well({firing("de", "critical")});
    EXPECT_EQ(told(kPager), std::vector<std::string>{"+de"});
}

TEST_F(Outbox, KeepsABoundedHistory) {
    start();
    const std::size_t rounds = Notifier::kHistoryMax / 2 + 20;
    for (std::size_t i = 0; i < rounds; ++i) {
        submit_well({firing("de")});
        submit_well({ended(firing("de"), now())});
        sim_.advance(1s);
    }
    EXPECT_EQ(messages().size(), Notifier::kHistoryMax);
    EXPECT_EQ(store_.size("notify/history/"), Notifier::kHistoryMax);
    EXPECT_EQ(store_.size("notify/outbox/"), 0U);
    EXPECT_EQ(store_.size("notify/group/"), 0U);
    const std::string newest = messages().front().id;
    restart();
    EXPECT_EQ(messages().size(), Notifier::kHistoryMax);
    EXPECT_EQ(messages().front().id, newest);
}

TEST_F(Outbox, ListsPendingThenSettledNewestFirst) {
    start();
    submit_well({firing("a")});
    sim_.advance(1s);
    submit_well({firing("b")});
    sim_.advance(1s);
    transport_.hold(kOps);
    submit_well({firing("c")});
    sim_.advance(1s);
    submit_well({firing("d")});
    std::vector<std::string> order;
    for (const Message& message : messages()) {
        order.push_back(message.alerts.at(0).fingerprint);
    }
    const std::vector<std::string> want{firing("d").fingerprint(), firing("c").fingerprint(),
                                        firing("b").fingerprint(), firing("a").fingerprint()};
    EXPECT_EQ(order, want);
    EXPECT_EQ(messages(MessageState::kPending).size(), 2U);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 2U);
    EXPECT_EQ(messages({}, "ops").size(), 4U);
    EXPECT_TRUE(messages({}, "pager").empty());
}

TEST_F(Outbox, RetriesAWaitingMessageAtOnceAndOnlyOnce) {
    start();
    transport_.answer_next(kOps, http_answer(503, "", {{"Retry-After", "3000"}}));
    submit_well({firing("de")});
    const std::string id = messages().at(0).id;
    transport_.hold(kOps);
    EXPECT_TRUE(notifier_->retry(id));
    sim_.run_until_idle();
    EXPECT_EQ(transport_.waiting(kOps), 1U);
    EXPECT_TRUE(notifier_->retry(id));  // It runs: nothing to do.
    sim_.run_until_idle();
    EXPECT_EQ(transport_.waiting(kOps), 1U);
    EXPECT_TRUE(transport_.answer_held(kOps, http_answer(200)));
    sim_.advance(2h);  // The old wait is void.
    EXPECT_EQ(transport_.count(), 2U);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
}

TEST_F(Outbox, PutsAFailedMessageBackWithTheSameIdAndBody) {
    start();
    transport_.answer_next(kOps, http_answer(410));
    submit_well({firing("de")});
    const Message failed = messages(MessageState::kFailed).at(0);
    EXPECT_TRUE(notifier_->retry(failed.id));
    sim_.run_until_idle();
    ASSERT_EQ(transport_.count(), 2U);
    EXPECT_EQ(ids()[1], ids()[0]);
    EXPECT_EQ(told()[1], "+de");
    ASSERT_EQ(messages().size(), 1U);
    EXPECT_EQ(messages()[0].state, MessageState::kDelivered);
    EXPECT_EQ(store_.size("notify/history/"), 1U);
    const Result<void> again = notifier_->retry(failed.id);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::kConflict);
    EXPECT_EQ(notifier_->retry("nobody").error().code, Code::kNotFound);
}

TEST_F(Outbox, DropsAMessageThatWaits) {
    start();
    transport_.answer_always(kOps, http_answer(500));
    submit_well({firing("de")});
    submit_well({ended(firing("de"), now())});
    const std::string id = messages().at(0).id;
    EXPECT_TRUE(notifier_->drop(id));
    EXPECT_EQ(notifier_->drop(id).error().code, Code::kNotFound);
    EXPECT_EQ(messages(MessageState::kDropped).size(), 1U);
    EXPECT_EQ(
        metric("kpid_notifications_failed_total", {{"receiver", "ops"}, {"reason", "dropped"}}),
        1.0);
    transport_.answer_always(kOps, http_answer(200));
    sim_.run_until_idle();
    EXPECT_EQ(told().back(), "-de");  // The group goes on.
    restart();
    EXPECT_EQ(messages(MessageState::kDropped).size(), 1U);
}

TEST_F(Outbox, ForgetsTheAnswerToARequestWhoseMessageWasDropped) {
    start();
    transport_.hold(kOps);
    submit_well({firing("de")});
    const std::string id = messages().at(0).id;
    EXPECT_TRUE(notifier_->drop(id));
    sim_.run_until_idle();
    EXPECT_TRUE(notifier_->retry(id));  // Back again while the first request still runs.
    sim_.run_until_idle();
    EXPECT_EQ(transport_.waiting(kOps), 2U);
    EXPECT_TRUE(transport_.answer_held(kOps, http_answer(410)));
    sim_.run_until_idle();
    EXPECT_EQ(messages(MessageState::kPending).size(), 1U);
    EXPECT_TRUE(transport_.answer_held(kOps, http_answer(200)));
    sim_.run_until_idle();
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
    // Neither answer left a request counted that does not run.
    submit_well(sixty());
    EXPECT_EQ(transport_.waiting(kOps), Notifier::kConcurrency);
}

TEST_F(Outbox, KeepsAPutBackMessageOverARestart) {
    start();
    transport_.answer_next(kOps, http_answer(410));
    submit_well({firing("de")});
    const std::string id = messages().at(0).id;
    transport_.hold(kOps);
    EXPECT_TRUE(notifier_->retry(id));
    sim_.run_until_idle();
    transport_.stop_holding(kOps);
    restart();
    EXPECT_EQ(ids().back(), id);
    ASSERT_EQ(messages().size(), 1U);
    EXPECT_EQ(messages()[0].state, MessageState::kDelivered);
}

TEST_F(Outbox, TellsFewerAlertsWhenABodyWouldBeTooLarge) {
    config_.alerting.route.group_by = std::vector<std::string>{"alertname"};
    start();
    std::vector<alerting::Alert> alerts = sixty();
    for (alerting::Alert& alert : alerts) {
        alert.annotations["text"] = std::string(200'000, 'x');
    }
    submit_well(alerts);
    ASSERT_EQ(transport_.count(), 1U);
    EXPECT_LE(transport_.requests()[0].body.size(), Notifier::kBodyBytesMax);
    EXPECT_NE(told()[0].find("(+"), std::string::npos);
    EXPECT_EQ(messages().at(0).alerts.size(), 60U);
}

TEST_F(Outbox, DropsAnAlertThatNoBodyCanHold) {
    start();
    alerting::Alert alert = firing("de");
    alert.annotations["text"] = std::string(Notifier::kBodyBytesMax, 'x');
    submit_well({alert});
    EXPECT_EQ(transport_.count(), 0U);
    EXPECT_EQ(
        metric("kpid_notifications_failed_total", {{"receiver", "ops"}, {"reason", "too_large"}}),
        1.0);
    const Message dropped = messages(MessageState::kDropped).at(0);
    EXPECT_EQ(notifier_->retry(dropped.id).error().code, Code::kConflict);
    submit_well({firing("fr")});
    EXPECT_EQ(told(), std::vector<std::string>{"+fr"});
}

TEST_F(Outbox, GoesOnWhenTheWallClockJumps) {
    config_.alerting.route.group_wait = 5s;
    start();
    submit_well({firing("de")});
    sim_.clock().set_wall(now() - 24h);
    sim_.advance(Notifier::kWakeMax + 10s);
    EXPECT_EQ(told(), std::vector<std::string>{"+de"});
    submit_well({firing("fr")});
    sim_.clock().set_wall(now() + 48h);
    sim_.advance(Notifier::kWakeMax + 10s);
    EXPECT_EQ(told().back(), "+fr");
}

}  // namespace
}  // namespace kpid::notify::testing
