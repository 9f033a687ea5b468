// A store that refuses writes: nothing goes out, nothing is forgotten.

#include "notify/notify_fixture.h"

namespace kpid::notify::testing {
namespace {

using Texts = std::vector<std::string>;

class StoreFailure : public NotifyTest {
protected:
    [[nodiscard]] std::optional<std::string> state() { return *store_.get(kStateKey); }
    static std::vector<model::StateWrite> state_write(const std::string& value) {
        return {{std::string(kStateKey), value}};
    }
};

TEST_F(StoreFailure, SendsNothingUntilTheWriteSucceedsAndThenOnce) {
    start();
    store_.fail_after(0);
    const Result<void> submitted = submit({firing("de")}, state_write("1"));
    ASSERT_FALSE(submitted);
    EXPECT_EQ(submitted.error().code, Code::kUnavailable);
    sim_.advance(1min);
    EXPECT_EQ(transport_.count(), 0U);
    EXPECT_EQ(state(), std::nullopt);
    EXPECT_EQ(metric("kpid_notification_store_failures_total"),
              static_cast<double>(store_.refused()));
    EXPECT_LE(store_.refused(), 70U);
    store_.recover();
    sim_.advance(Notifier::kStoreRetry);
    EXPECT_EQ(told(), Texts{"+de"});
    EXPECT_EQ(state(), "1");  // Together with the alert, or the alert would have no owner.
    submit_well({firing("de")});
    sim_.advance(1min);
    EXPECT_EQ(told(), Texts{"+de"});
}

TEST_F(StoreFailure, WritesTheNewestStateWhenItComesBack) {
    start();
    store_.fail_after(0);
    EXPECT_FALSE(submit({firing("de")}, state_write("1")));
    EXPECT_FALSE(submit({}, state_write("2")));
    EXPECT_FALSE(submit({firing("fr")}, state_write("3")));
    store_.recover();
    EXPECT_TRUE(submit({}, state_write("4")));
    EXPECT_EQ(state(), "4");
    sim_.advance(1min);
    EXPECT_EQ(state(), "4");
    EXPECT_EQ(told(), (Texts{"+de", "+fr"}));
}

TEST_F(StoreFailure, KeepsStateWithoutAlertsTooAndWritesItLater) {
    start();
    store_.fail_after(0);
    EXPECT_FALSE(submit({}, state_write("1")));
    store_.recover();
    sim_.advance(Notifier::kStoreRetry);
    EXPECT_EQ(state(), "1");
}

TEST_F(StoreFailure, WritesStateAloneWithoutTouchingAnythingElse) {
    start();
    const std::size_t before = store_.written();
    EXPECT_TRUE(submit({}, state_write("1")));
    EXPECT_TRUE(submit({}, {}));
    EXPECT_EQ(store_.written(), before + 1);
    EXPECT_EQ(state(), "1");
}

TEST_F(StoreFailure, IsNotBlockedForEverByStateThatTheStoreCannotTake) {
    start();
    store_.fail_after(0, invalid_argument("the state value is too long"));
    EXPECT_FALSE(submit({firing("de")}, state_write("too long")));
    EXPECT_FALSE(submit({}, state_write("too long")));
    store_.recover();
    sim_.advance(Notifier::kStoreRetry);
    EXPECT_EQ(told(), Texts{"+de"});
    EXPECT_EQ(state(), std::nullopt);
}

TEST_F(StoreFailure, TellsAnEndOnlyOfWhatItHadTold) {
    start();
    store_.fail_after(0);
    EXPECT_FALSE(submit({firing("de")}));
    EXPECT_FALSE(submit({ended(firing("de"), now())}));
    EXPECT_EQ(transport_.count(), 0U);
    store_.recover();
    sim_.advance(1min);
    EXPECT_EQ(told(), (Texts{"+de", "-de"}));
}

TEST_F(StoreFailure, SettlesWhatWasAcknowledgedMeanwhileAndDoesNotSendItAgain) {
    start();
    transport_.hold(kOps);
    submit_well({firing("de")});
    store_.fail_after(0);
    EXPECT_TRUE(transport_.answer_held(kOps, http_answer(200)));
    transport_.stop_holding(kOps);
    sim_.advance(1min);
    EXPECT_EQ(transport_.count(), 1U);
    store_.recover();
    sim_.advance(1min);
    restart();
    EXPECT_EQ(transport_.count(), 1U);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
}

TEST_F(StoreFailure, HandsAlertmanagersWhatWaitedAfterTheWrite) {
    config_.alerting.alertmanagers.resize(1);
    config_.alerting.alertmanagers[0].static_configs = {{.targets = {"am:9093"}}};
    const std::string url = "http://am:9093/api/v2/alerts";
    start();
    submit_well({firing("de")});
    store_.fail_after(0);
    EXPECT_FALSE(submit({ended(firing("de"), now())}, state_write("1")));
    EXPECT_FALSE(submit({firing("fr")}, state_write("2")));
    EXPECT_EQ(transport_.requests(url).size(), 1U);
    store_.recover();
    sim_.advance(Notifier::kStoreRetry);
    const auto requests = transport_.requests(url);
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_NE(requests[1].body.find("\"fr\""), std::string::npos);
    EXPECT_NE(requests[1].body.find("\"de\""), std::string::npos);
}

TEST_F(StoreFailure, LosesNothingWhenHandsWorkOnItMeanwhile) {
    start();
    transport_.answer_always(kOps, http_answer(410));
    submit_well({firing("de")});
    const std::string id = messages().at(0).id;
    store_.fail_after(0);
    EXPECT_FALSE(notifier_->retry(id));
    sim_.run_until_idle();
    EXPECT_EQ(transport_.count(), 1U);
    EXPECT_EQ(messages(MessageState::kPending).size(), 1U);
    transport_.answer_always(kOps, http_answer(200));
    store_.recover();
    sim_.advance(Notifier::kStoreRetry);
    EXPECT_EQ(messages(MessageState::kDelivered).size(), 1U);
    EXPECT_EQ(ids()[1], id);
}

TEST_F(StoreFailure, StopsWithoutWaitingForTheStore) {
    start();
    store_.fail_after(0);
    EXPECT_FALSE(submit({firing("de")}, state_write("1")));
    restart();
    EXPECT_EQ(transport_.count(), 0U);
    EXPECT_EQ(state(), std::nullopt);  // Neither half: whoever submitted does it again.
    submit_well({firing("de")});
    EXPECT_EQ(told(), Texts{"+de"});
}

}  // namespace
}  // namespace kpid::notify::testing
