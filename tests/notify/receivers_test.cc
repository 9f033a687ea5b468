// What each kind of receiver is told, and what a reload does to it.

#include "notify/notify_fixture.h"

#include <algorithm>

namespace kpid::notify::testing {
namespace {

const std::string kSecond = "http://ops/second";

class Receivers : public NotifyTest {
protected:
    /// `critical` goes to pager, all else to ops.
    void split_by_severity() {
        config_.alerting.receivers.push_back(receiver("pager", {kPager}));
        alerting::Route child;
        child.receiver = "pager";
        child.matchers = {model::Matcher::equal("severity", "critical")};
        config_.alerting.route.routes = {child};
    }
    void group_together() {
        config_.alerting.route.group_by = std::vector<std::string>{"alertname"};
    }
};

using Texts = std::vector<std::string>;

TEST_F(Receivers, HoldsTheEndOfASupersededAlertUntilItsSuccessorArrived) {
    split_by_severity();
    start();
    submit_well({firing("de", "warning")});
    transport_.hold(kPager);
    const alerting::Alert critical = firing("de", "critical");
    submit_well({superseded(firing("de", "warning"), now(), critical), critical});
    sim_.advance(1h);
    EXPECT_EQ(told(kPager), Texts{"+de"});
    EXPECT_EQ(told(kOps), Texts{"+de"});  // The warning is still all that ops knows.
    EXPECT_TRUE(transport_.answer_held(kPager, http_answer(200)));
    sim_.run_until_idle();
    EXPECT_EQ(told(kOps), (Texts{"+de", "-de"}));
}

TEST_F(Receivers, TellsTheEndWhenTheSuccessorWasGivenUp) {
    split_by_severity();
    start();
    submit_well({firing("de", "warning")});
    transport_.answer_always(kPager, http_answer(410));
    const alerting::Alert critical = firing("de", "critical");
    submit_well({superseded(firing("de", "warning"), now(), critical), critical});
    EXPECT_EQ(told(kOps), (Texts{"+de", "-de"}));
}

TEST_F(Receivers, HoldsTheEndBackOverARestartToo) {
    split_by_severity();
    start();
    submit_well({firing("de", "warning")});
    transport_.hold(kPager);
    const alerting::Alert critical = firing("de", "critical");
    submit_well({superseded(firing("de", "warning"), now(), critical), critical});
    restart();
    EXPECT_EQ(told(kOps), Texts{"+de"});
    EXPECT_TRUE(transport_.answer_held(kPager, http_answer(200)));
    sim_.run_until_idle();
    EXPECT_EQ(told(kOps), (Texts{"+de", "-de"}));
    EXPECT_EQ(ids(kPager)[0], ids(kPager)[1]);
}

TEST_F(Receivers, PutsBothHalvesOfASupersessionIntoOneMessageOfOneGroup) {
    start();
    submit_well({firing("de", "warning")});
    const alerting::Alert critical = firing("de", "critical");
    submit_well({superseded(firing("de", "warning"), now(), critical), critical});
    EXPECT_EQ(told(), (Texts{"+de", "+de -de"}));
}

TEST_F(Receivers, TellsOnlyWhatFiresWithoutSendResolved) {
    group_together();
    config_.alerting.receivers[0].webhooks[0].send_resolved = false;
    start();
    submit_well({firing("de"), firing("fr")});
    submit_well({ended(firing("de"), now())});
    submit_well({ended(firing("fr"), now())});
    EXPECT_EQ(told(), (Texts{"+de +fr", "+fr"}));
    EXPECT_EQ(metric("kpid_notifications_pending", {{"receiver", "ops"}}), 0.0);
    submit_well({firing("it")});  // What was not told has settled nevertheless.
    EXPECT_EQ(told().back(), "+it");
}

TEST_F(Receivers, CountsWhatMaxAlertsLeavesOut) {
    group_together();
    config_.alerting.receivers[0].webhooks[0].max_alerts = 2;
    start();
    submit_well({firing("a"), firing("b"), firing("c"), firing("d"), firing("e")});
    EXPECT_EQ(told(), Texts{"+a +b (+3)"});
    EXPECT_EQ(messages().at(0).alerts.size(), 5U);
}

TEST_F(Receivers, TellsEveryWebhookUnderItsOwnId) {
    config_.alerting.receivers = {receiver("ops", {kOps, kSecond})};
    start();
    submit_well({firing("de")});
    EXPECT_EQ(told(kOps), Texts{"+de"});
    EXPECT_EQ(told(kSecond), Texts{"+de"});
    EXPECT_NE(ids(kOps)[0], ids(kSecond)[0]);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 2U);
}

TEST_F(Receivers, GoesOnWithAGroupWhenAllItsWebhooksAreSettled) {
    config_.alerting.receivers = {receiver("ops", {kOps, kSecond})};
    start();
    transport_.hold(kSecond);
    submit_well({firing("de")});
    submit_well({ended(firing("de"), now())});
    sim_.advance(1min);
    EXPECT_EQ(told(kOps), Texts{"+de"});
    EXPECT_TRUE(transport_.answer_held(kSecond, http_answer(410)));
    transport_.stop_holding(kSecond);
    sim_.run_until_idle();
    EXPECT_EQ(told(kOps), (Texts{"+de", "-de"}));
    EXPECT_EQ(told(kSecond), (Texts{"+de", "-de"}));
}

TEST_F(Receivers, CountsANotificationAsDeliveredWhenOneWebhookTookItBeforeARestart) {
    split_by_severity();
    config_.alerting.receivers[1] = receiver("pager", {kPager, kSecond});
    start();
    submit_well({firing("de", "warning")});
    transport_.hold(kSecond);
    const alerting::Alert critical = firing("de", "critical");
    submit_well({superseded(firing("de", "warning"), now(), critical), critical});
    EXPECT_EQ(messages(MessageState::kDelivered, "pager").size(), 1U);
    EXPECT_EQ(told(kOps), Texts{"+de"});
    restart();
    EXPECT_TRUE(transport_.answer_held(kSecond, http_answer(410)));
    sim_.run_until_idle();
    EXPECT_EQ(told(kPager), Texts{"+de"});
    EXPECT_EQ(told(kOps), (Texts{"+de", "-de"}));
}

TEST_F(Receivers, KeepsInTheInboxWhatWouldHaveBeenPosted) {
    config_.alerting.receivers.clear();
    config_.alerting.route.receiver = "inbox";
    start();
    submit_well({firing("de")});
    submit_well({ended(firing("de"), now())});
    EXPECT_EQ(transport_.count(), 0U);
    const std::vector<Message> inbox = messages({}, "inbox");
    ASSERT_EQ(inbox.size(), 2U);
    EXPECT_EQ(inbox[0].state, MessageState::kDelivered);
    Texts texts{said(inbox[0].body), said(inbox[1].body)};
    std::sort(texts.begin(), texts.end());
    EXPECT_EQ(texts, (Texts{"+de", "-de"}));
    EXPECT_EQ(metric("kpid_notifications_total", {{"receiver", "inbox"}}), 2.0);
    restart();
    EXPECT_EQ(messages({}, "inbox").size(), 2U);
    EXPECT_FALSE(messages({}, "inbox")[0].body.empty());
}

TEST_F(Receivers, LetsAnInboxWithAWebhookDoBoth) {
    config_.alerting.receivers = {receiver("inbox", {kOps})};
    config_.alerting.route.receiver = "inbox";
    start();
    submit_well({firing("de")});
    EXPECT_EQ(told(), Texts{"+de"});
    EXPECT_EQ(messages({}, "inbox").size(), 2U);
    EXPECT_EQ(store_.size("notify/history/"), 2U);
}

TEST_F(Receivers, TellsNobodyThroughAReceiverWithoutWebhooks) {
    config_.alerting.receivers = {receiver("ops", {})};
    start();
    submit_well({firing("de")});
    submit_well({ended(firing("de"), now())});
    EXPECT_EQ(transport_.count(), 0U);
    EXPECT_TRUE(messages().empty());
    EXPECT_EQ(store_.size("notify/group/"), 0U);
}

TEST_F(Receivers, DropsTheMessagesOfAReceiverThatAReloadRemoved) {
    split_by_severity();
    start();
    transport_.hold(kPager);
    submit_well({firing("de", "critical")});
    config_ = config_to_ops();
    reload();
    EXPECT_EQ(metric("kpid_notifications_failed_total",
                     {{"receiver", "pager"}, {"reason", "no_receiver"}}),
              1.0);
    EXPECT_TRUE(messages(MessageState::kPending).empty());
    EXPECT_EQ(told(kOps), Texts{"+de"});  // It routes to ops now.
    // The answer to the request that still ran changes nothing.
    EXPECT_TRUE(transport_.answer_held(kPager, http_answer(200)));
    sim_.run_until_idle();
    EXPECT_EQ(messages(MessageState::kDropped, "pager").size(), 1U);
    const Result<void> retried = notifier_->retry(messages(MessageState::kDropped, "pager")[0].id);
    ASSERT_FALSE(retried);
    EXPECT_EQ(retried.error().code, Code::kConflict);
    submit_well({ended(firing("de", "critical"), now())});
    EXPECT_EQ(told(kOps), (Texts{"+de", "-de"}));
}

TEST_F(Receivers, DropsThemAlsoWhenTheReceiverWentWhileStopped) {
    split_by_severity();
    start();
    transport_.hold(kPager);
    submit_well({firing("de", "critical")});
    stop();
    config_ = config_to_ops();
    start();
    EXPECT_TRUE(messages(MessageState::kPending).empty());
    EXPECT_EQ(told(kOps), Texts{"+de"});
}

TEST_F(Receivers, SendsWhatWaitsToTheNewUrlOfItsReceiver) {
    start();
    transport_.answer_always(kOps, http_answer(404));
    submit_well({firing("de")});
    config_.alerting.receivers[0].webhooks[0].url = kSecond;
    reload();
    sim_.advance(1min);
    EXPECT_EQ(told(kSecond), Texts{"+de"});
    EXPECT_EQ(ids(kSecond)[0], ids(kOps)[0]);
}

TEST_F(Receivers, StaysSilentBesideAlertmanagers) {
    config_.alerting.alertmanagers.resize(1);
    config_.alerting.alertmanagers[0].static_configs = {{.targets = {"am:9093"}}};
    start();
    submit_well({firing("de")});
    submit_well({ended(firing("de"), now())});
    EXPECT_EQ(told(), Texts{});
    EXPECT_EQ(transport_.requests("http://am:9093/api/v2/alerts").size(), 2U);
    EXPECT_TRUE(messages().empty());
    config_.alerting.also_own = true;
    reload();
    submit_well({firing("fr")});
    EXPECT_EQ(told(), Texts{"+fr"});
}

TEST_F(Receivers, TellsOnlyEndsAfterAReloadMadeThemSilent) {
    config_.alerting.route.repeat_interval = 1h;
    start();
    submit_well({firing("de")});
    config_.alerting.alertmanagers.resize(1);
    config_.alerting.alertmanagers[0].static_configs = {{.targets = {"am:9093"}}};
    reload();
    sim_.advance(5h);
    submit_well({firing("fr")});
    EXPECT_EQ(told(), Texts{"+de"});
    submit_well({ended(firing("de"), now()), ended(firing("fr"), now())});
    EXPECT_EQ(told(), (Texts{"+de", "-de"}));
}

TEST_F(Receivers, TellsWhatFiresWhenAReloadLetsThemSpeak) {
    config_.alerting.alertmanagers.resize(1);
    config_.alerting.alertmanagers[0].static_configs = {{.targets = {"am:9093"}}};
    start();
    submit_well({firing("de"), firing("fr")});
    submit_well({ended(firing("fr"), now())});
    EXPECT_EQ(told(), Texts{});
    config_.alerting.alertmanagers.clear();
    reload();
    EXPECT_EQ(told(), Texts{"+de"});
}

}  // namespace
}  // namespace kpid::notify::testing
