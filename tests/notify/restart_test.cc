// Crashes between any two writes of the store: no message lost, none under a second id, every end
// told exactly once.

#include "notify/notify_fixture.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace kpid::notify::testing {
namespace {

using Texts = std::vector<std::string>;

/// A life with crashes: an evaluator that keeps its place in a script in the same writes, receivers
/// that fail now and then.
class CrashingLife : public NotifyTest {
public:
    CrashingLife() {
        config_.alerting.receivers.push_back(receiver("pager", {kPager}));
        alerting::Route child;
        child.receiver = "pager";
        child.matchers = {model::Matcher::equal("severity", "critical")};
        config_.alerting.route.routes = {child};
    }
    void TestBody() override {}

    /// Crashes after `first` writes, and again after `second` more.
    void live(std::size_t first, std::size_t second) {
        start();
        store_.fail_after(first);
        crashes_left_ = {second, std::numeric_limits<std::size_t>::max()};
        for (int turn = 0; turn < 100 && place() < kSteps; ++turn) {
            const std::size_t refused = store_.refused();
            take_step(place());
            if (store_.refused() > refused) {
                crash();
            }
        }
        store_.recover();
        sim_.advance(10min);
    }
    [[nodiscard]] std::size_t writes() const { return store_.written(); }

    /// What the receiver understands of a shop: each id once, in order of first arrival.
    [[nodiscard]] std::string history(const std::string& url, const std::string& shop) const {
        std::map<std::string, std::string> body_of;
        std::string text;
        for (const net::HttpClientRequest& request : transport_.requests(url)) {
            const std::string id = header(request, "webhook-id");
            const auto [known, is_new] = body_of.emplace(id, request.body);
            EXPECT_EQ(known->second, request.body) << "one id, two texts";
            const std::string words = said(request.body);
            if (is_new && words.find(shop) != std::string::npos) {
                text += (text.empty() ? "" : " ") + words;
            }
        }
        return text;
    }
    void expect_all_settled() const {
        EXPECT_TRUE(messages(MessageState::kPending).empty());
        EXPECT_TRUE(messages(MessageState::kDropped).empty());
        EXPECT_TRUE(messages(MessageState::kFailed).empty());
        EXPECT_EQ(store_.size("notify/outbox/"), 0U);
    }

private:
    static constexpr std::size_t kSteps = 6;

    [[nodiscard]] std::size_t place() const {
        const auto value = *store_.get(kStateKey);
        return value ? std::stoul(*value) : 0;
    }
    [[nodiscard]] std::vector<alerting::Alert> script(std::size_t step) const {
        const alerting::Alert critical = firing("b", "critical");
        switch (step) {
            case 0:
                return {firing("a"), firing("b")};
            case 1:
                return {ended(firing("a"), now())};
            case 2:
                return {firing("c"), superseded(firing("b"), now(), critical), critical};
            case 3:
                return {firing("a")};
            case 4:
                return {ended(firing("a"), now()), ended(critical, now())};
            default:
                return {ended(firing("c"), now())};
        }
    }
    void take_step(std::size_t step) {
        transport_.answer_next(kOps, http_answer(500));
        transport_.answer_next(kPager, unavailable("reset"));
        static_cast<void>(
            submit(script(step), {{std::string(kStateKey), std::to_string(step + 1)}}));
        sim_.advance(20s);
    }
    void crash() {
        stop();
        store_.fail_after(crashes_left_.front());
        if (crashes_left_.size() > 1) {
            crashes_left_.erase(crashes_left_.begin());
        }
        const std::size_t refused = store_.refused();
        start();
        sim_.advance(20s);
        if (store_.refused() > refused) {
            stop();
            store_.recover();
            start();
            sim_.advance(20s);
        }
    }

    std::vector<std::size_t> crashes_left_;
};

void expect_whole(const CrashingLife& life) {
    EXPECT_EQ(life.history(kOps, "a"), "+a -a +a -a");
    EXPECT_EQ(life.history(kOps, "b"), "+b -b");
    EXPECT_EQ(life.history(kPager, "b"), "+b -b");
    EXPECT_EQ(life.history(kOps, "c"), "+c -c");
    life.expect_all_settled();
}

TEST(Restart, LosesNothingWhereverItCrashes) {
    CrashingLife calm;
    calm.live(std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max());
    expect_whole(calm);
    ASSERT_GT(calm.writes(), 20U);
    for (std::size_t first = 0; first <= calm.writes(); ++first) {
        SCOPED_TRACE("crash after " + std::to_string(first) + " writes");
        CrashingLife life;
        life.live(first, std::numeric_limits<std::size_t>::max());
        expect_whole(life);
    }
}

TEST(Restart, LosesNothingWhenItCrashesTwice) {
    for (std::size_t first = 0; first <= 30; first += 3) {
        for (std::size_t second = 0; second <= 6; ++second) {
            SCOPED_TRACE(std::to_string(first) + " writes, then " + std::to_string(second));
            CrashingLife life;
            life.live(first, second);
            expect_whole(life);
        }
    }
}

class RestartInPeace : public NotifyTest {};

TEST_F(RestartInPeace, WritesAndTellsNothingWhenNothingChanged) {
    config_.alerting.route.repeat_interval = 4h;
    start();
    submit_well({firing("de"), firing("fr")});
    const std::size_t groups = store_.size("notify/group/");
    restart();
    const std::size_t written = store_.written();
    submit_well({firing("de"), firing("fr")});  // As evaluation does after a start.
    EXPECT_EQ(store_.written(), written);
    EXPECT_EQ(store_.size("notify/group/"), groups);
    EXPECT_EQ(transport_.count(), 2U);
    EXPECT_EQ(messages().size(), 2U);
}

TEST_F(RestartInPeace, SendsWhatWasPendingOldestFirst) {
    start();
    transport_.hold(kOps);
    for (const char* shop : {"one", "two", "three"}) {
        submit_well({firing(shop)});
        sim_.advance(1s);
    }
    stop();
    transport_.stop_holding(kOps);
    transport_.forget_requests();
    start();
    EXPECT_EQ(told(), (Texts{"+one", "+two", "+three"}));
}

TEST_F(RestartInPeace, LeavesOutADamagedMessageAndGoesOn) {
    start();
    transport_.hold(kOps);
    submit_well({firing("de"), firing("fr")});
    const Message damaged = messages().at(0);
    stop();
    const std::vector<model::StateWrite> damage{{"notify/outbox/" + damaged.id, "{\"version\":"}};
    ASSERT_TRUE(store_.write(damage));
    transport_.stop_holding(kOps);
    transport_.forget_requests();
    start();
    EXPECT_EQ(transport_.count(), 1U);
    submit_well({ended(firing("de"), now()), ended(firing("fr"), now())});
    EXPECT_EQ(transport_.count(), 3U);  // Its group is not stuck.
}

TEST_F(RestartInPeace, KeepsAGroupWithVeryLongLabels) {
    config_.alerting.route.group_by = std::vector<std::string>{"alertname", "shop"};
    start();
    const std::string shop(20'000, 's');
    submit_well({firing(shop)});
    restart();
    submit_well({ended(firing(shop), now())});
    EXPECT_EQ(told(), (Texts{"+" + shop, "-" + shop}));
    EXPECT_EQ(store_.size("notify/group/"), 0U);
}

}  // namespace
}  // namespace kpid::notify::testing
