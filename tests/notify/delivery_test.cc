// One message on its way: attempts, waits, headers, giving up.

#include "notify/notify_fixture.h"
#include "notify/signature.h"
#include "support/temporary_folder.h"

#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace kpid::notify::testing {
namespace {

class Delivery : public NotifyTest {
protected:
    config::WebhookConfig& webhook() { return config_.alerting.receivers[0].webhooks[0]; }
    /// Seconds from the first request to each of them.
    std::vector<std::int64_t> request_seconds() {
        std::vector<std::int64_t> times;
        for (const net::HttpClientRequest& request : transport_.requests(kOps)) {
            times.push_back(std::stoll(header(request, "webhook-timestamp")));
        }
        const std::int64_t first = times.empty() ? 0 : times.front();
        for (std::int64_t& time : times) {
            time -= first;
        }
        return times;
    }
};

TEST_F(Delivery, SendsAtOnceWithoutAnyTimer) {
    start();
    submit_well({firing("de")});  // Time stands still.
    EXPECT_EQ(told(), std::vector<std::string>{"+de"});
    ASSERT_EQ(messages().size(), 1U);
    EXPECT_EQ(messages()[0].state, MessageState::kDelivered);
    EXPECT_EQ(sim_.timers().size(), 1U);  // The Alertmanagers' resending alone.
}

TEST_F(Delivery, PostsJsonToTheWebhookAndFollowsNoRedirect) {
    webhook().timeout = 3s;
    webhook().http.headers = {{"X-Team", "a"}};
    start();
    submit_well({firing("de")});
    const net::HttpClientRequest request = transport_.requests().at(0);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, kOps);
    EXPECT_EQ(request.timeout, Duration(3s));
    EXPECT_EQ(header(request, "content-type"), "application/json");
    EXPECT_FALSE(request.options.follow_redirects);
    EXPECT_EQ(request.options.headers, webhook().http.headers);
}

TEST_F(Delivery, KeepsTheIdAndRenewsTheTimestampOverAttempts) {
    webhook().secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    start();
    transport_.answer_next(kOps, http_answer(500));
    transport_.answer_next(kOps, unavailable("reset"));
    submit_well({firing("de")});
    sim_.advance(10s);
    const auto requests = transport_.requests(kOps);
    ASSERT_EQ(requests.size(), 3U);
    std::set<std::string> timestamps;
    for (const net::HttpClientRequest& request : requests) {
        EXPECT_EQ(header(request, "webhook-id"), header(requests[0], "webhook-id"));
        EXPECT_EQ(request.body, requests[0].body);
        const std::string timestamp = header(request, "webhook-timestamp");
        timestamps.insert(timestamp);
        EXPECT_EQ(header(request, "webhook-signature"),
                  *sign_webhook(webhook().secret, header(request, "webhook-id"),
                                Timestamp(std::stoll(timestamp) * 1000), request.body));
    }
    EXPECT_GE(timestamps.size(), 2U);
}

TEST_F(Delivery, SignsOnlyWithASecret) {
    start();
    submit_well({firing("de")});
    EXPECT_FALSE(transport_.requests().at(0).headers.has("webhook-signature"));
}

TEST_F(Delivery, ReadsUrlAndSecretFromTheirFilesAtEachAttempt) {
    const kpid::testing::TemporaryFolder folder;
    const std::string url_file = folder.file("url");
    const std::string secret_file = folder.file("secret");
    webhook() = {.url_file = url_file, .secret_file = secret_file};
    start();
    submit_well({firing("de")});
    EXPECT_EQ(transport_.count(), 0U);  // There is no file yet.
    std::ofstream(url_file) << kOps << "\n";
    std::ofstream(secret_file) << "\n";
    sim_.advance(2s);
    EXPECT_EQ(transport_.count(), 0U);  // An empty secret would send unsigned.
    std::ofstream(secret_file) << "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\n";
    sim_.advance(10s);
    ASSERT_EQ(transport_.count(), 1U);
    EXPECT_TRUE(transport_.requests().at(0).headers.has("webhook-signature"));
    EXPECT_EQ(metric("kpid_notification_attempts_total", {{"receiver", "ops"}}), 1.0);
    ASSERT_EQ(messages(MessageState::kDelivered).size(), 1U);
    EXPECT_GE(messages()[0].attempts.size(), 3U);
}

TEST_F(Delivery, RetriesWithGrowingBoundedWaits) {
    start();
    transport_.answer_always(kOps, http_answer(500));
    submit_well({firing("de")});
    sim_.advance(1h);
    const std::vector<std::int64_t> times = request_seconds();
    ASSERT_GT(times.size(), 12U);
    ASSERT_LT(times.size(), 40U);
    std::int64_t bound = 1;
    for (std::size_t i = 1; i < times.size(); ++i) {
        const std::int64_t wait = times[i] - times[i - 1];
        EXPECT_LE(wait, bound + 1) << i;
        EXPECT_GE(wait, bound / 2 - 1) << i;
        bound = std::min<std::int64_t>(bound * 2, 300);
    }
    ASSERT_EQ(messages(MessageState::kPending).size(), 1U);
    const Message message = messages()[0];
    EXPECT_EQ(message.attempt_count, times.size());
    EXPECT_EQ(message.attempts.size(), std::min(times.size(), Message::kAttemptsKept));
    transport_.answer_always(kOps, http_answer(200));
    sim_.advance(5min);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
    EXPECT_EQ(metric("kpid_notifications_total", {{"receiver", "ops"}}), 1.0);
    EXPECT_EQ(metric("kpid_notifications_pending", {{"receiver", "ops"}}), 0.0);
}

TEST_F(Delivery, WaitsAsLongAsTheReceiverAsks) {
    struct Case {
        const char* retry_after;
        Duration wait;
    };
    for (const Case& test : {Case{"120", 120s}, Case{"Fri, 15 Jan 2027 12:00:00 GMT", 1h}}) {
        SCOPED_TRACE(test.retry_after);
        transport_.forget_requests();
        start();
        transport_.answer_next(kOps, http_answer(429, "", {{"Retry-After", test.retry_after}}));
        submit_well({firing(test.retry_after)});
        sim_.advance(test.wait - 1s);
        EXPECT_EQ(transport_.count(), 1U);
        sim_.advance(1s);
        EXPECT_EQ(transport_.count(), 2U);
        stop();
    }
}

TEST_F(Delivery, GivesUpAtOnceWhenTheReceiverIsGone) {
    start();
    transport_.answer_always(kOps, http_answer(410));
    submit_well({firing("de")});
    sim_.advance(1h);
    EXPECT_EQ(transport_.count(), 1U);
    ASSERT_EQ(messages(MessageState::kFailed).size(), 1U);
    EXPECT_EQ(metric("kpid_notifications_failed_total", {{"receiver", "ops"}, {"reason", "gone"}}),
              1.0);
    // What was given up does not hold the group: its end is told too.
    transport_.answer_always(kOps, http_answer(200));
    submit_well({ended(firing("de"), now())});
    EXPECT_EQ(told().back(), "-de");
}

TEST_F(Delivery, GivesUpSomeTimeAfterTheFirstAttempt) {
    webhook().give_up_after = 30min;
    start();
    transport_.answer_always(kOps, http_answer(503));
    submit_well({firing("de")});
    sim_.advance(29min);
    EXPECT_EQ(messages(MessageState::kPending).size(), 1U);
    sim_.advance(7min);
    ASSERT_EQ(messages(MessageState::kFailed).size(), 1U);
    EXPECT_EQ(
        metric("kpid_notifications_failed_total", {{"receiver", "ops"}, {"reason", "gave_up"}}),
        1.0);
    const std::size_t tried = transport_.count();
    sim_.advance(1h);
    EXPECT_EQ(transport_.count(), tried);
}

TEST_F(Delivery, CountsTheTimeToGiveUpFromTheFirstAttemptAlsoAfterALongStop) {
    webhook().give_up_after = 30min;
    store_.recover();
    start();
    transport_.hold(kOps);
    submit_well({firing("de")});
    stop();
    sim_.clock().advance(24h);
    transport_.stop_holding(kOps);
    transport_.answer_always(kOps, http_answer(503));
    start();
    sim_.advance(20min);
    EXPECT_EQ(messages(MessageState::kPending).size(), 1U);
    sim_.advance(20min);
    EXPECT_EQ(messages(MessageState::kFailed).size(), 1U);
}

TEST_F(Delivery, RetriesAnAnswerThatIsCancelledThoughNobodyStops) {
    start();
    transport_.answer_next(kOps, Error{Code::kCancelled, "the peer's client did it"});
    submit_well({firing("de")});
    sim_.advance(2s);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
}

TEST_F(Delivery, SurvivesGarbageFromTheReceiverAndARestart) {
    start();
    transport_.answer_always(kOps, http_answer(500, std::string("\xff\xc3\x00\x1b", 4)));
    submit_well({firing("de")});
    sim_.advance(10s);
    const std::string id = ids().front();
    transport_.answer_always(kOps, http_answer(200, std::string(1'000'000, '<')));
    restart();
    sim_.advance(1s);
    ASSERT_EQ(messages(MessageState::kDelivered).size(), 1U);
    EXPECT_EQ(ids().back(), id);
}

TEST_F(Delivery, MeasuresFromTheSampleToTheAcknowledgement) {
    start();
    EXPECT_EQ(metric("kpid_notification_latency_seconds"), 0.0);
    alerting::Alert alert = firing("de");
    alert.cause_accepted_at = clock().mono_now() - 3ms;
    submit_well({alert});
    EXPECT_EQ(metric("kpid_notification_latency_seconds"), 1.0);
    submit_well({firing("fr")});  // Its cause is unknown.
    EXPECT_EQ(metric("kpid_notification_latency_seconds"), 1.0);
    for (const prometheus::MetricFamily& family : registry_->Collect()) {
        if (family.name == "kpid_notification_latency_seconds") {
            EXPECT_NEAR(family.metric[0].histogram.sample_sum, 0.003, 1e-9);
        }
    }
}

TEST_F(Delivery, HasEveryCounterAtZeroFromTheStart) {
    config_.alerting.alertmanagers.resize(1);
    config_.alerting.alertmanagers[0].static_configs = {{.targets = {"am:9093"}}};
    start();
    for (const std::string name : {"ops", "inbox"}) {
        EXPECT_EQ(metric("kpid_notifications_total", {{"receiver", name}}), 0.0);
        EXPECT_EQ(metric("kpid_notifications_pending", {{"receiver", name}}), 0.0);
        EXPECT_EQ(metric("kpid_notification_attempts_total", {{"receiver", name}}), 0.0);
        for (const std::string reason :
             {"gave_up", "gone", "no_receiver", "outbox_full", "too_large", "dropped"}) {
            EXPECT_EQ(
                metric("kpid_notifications_failed_total", {{"receiver", name}, {"reason", reason}}),
                0.0)
                << reason;
        }
    }
    const std::pair<std::string, std::string> peer("alertmanager", "http://am:9093/api/v2/alerts");
    EXPECT_EQ(metric("kpid_alertmanager_alerts_sent_total", {peer}), 0.0);
    EXPECT_EQ(metric("kpid_alertmanager_errors_total", {peer}), 0.0);
    EXPECT_EQ(metric("kpid_alertmanager_alerts_dropped_total", {peer}), 0.0);
    EXPECT_EQ(metric("kpid_notification_store_failures_total"), 0.0);
    EXPECT_EQ(metric("kpid_notification_alerts_refused_total"), 0.0);
    EXPECT_EQ(metric("kpid_notification_latency_seconds"), 0.0);
}

TEST_F(Delivery, WritesAnOutcomeThatComesWhileStopping) {
    start();
    transport_.hold(kOps);
    submit_well({firing("de")});
    EXPECT_TRUE(transport_.answer_held(kOps, http_answer(200)));
    notifier_->stop();
    sim_.run_until_idle();
    transport_.stop_holding(kOps);
    restart();
    sim_.advance(1min);
    EXPECT_EQ(transport_.count(), 1U);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
}

}  // namespace
}  // namespace kpid::notify::testing
