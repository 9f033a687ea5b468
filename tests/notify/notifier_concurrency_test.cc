// Many threads at one notifier: for ThreadSanitizer, and for what must hold in any order.

#include "notify/notify_fixture.h"
#include "support/net_fixture.h"

#include <atomic>
#include <map>
#include <set>
#include <thread>

namespace kpid::notify::testing {
namespace {

constexpr int kThreads = 4;
constexpr int kShopsPerThread = 25;
constexpr std::size_t kMessages = std::size_t{2} * kThreads * kShopsPerThread;

class NotifierConcurrency : public ::testing::Test {
protected:
    static std::shared_ptr<const config::Config> config() {
        auto config = std::make_shared<config::Config>(config_to_ops());
        config->alerting.alertmanagers.resize(1);
        config->alerting.alertmanagers[0].static_configs = {{.targets = {"am:9093"}}};
        config->alerting.also_own = true;
        config->alerting.routes = *alerting::RouteTree::build(config->alerting.route);
        return config;
    }
    void start() {
        registry_ = std::make_unique<prometheus::Registry>();
        notifier_ = std::make_unique<Notifier>(net_.runtime().make_strand(),
                                               NotifierDependencies{.store = store_,
                                                                    .client = transport_,
                                                                    .timers = net_.timers(),
                                                                    .workers = net_.workers(),
                                                                    .registry = *registry_,
                                                                    .seed = 7});
        const Result<void> started = notifier_->start(config());
        ASSERT_TRUE(started) << started.error().message;
    }
    void stop_and_join() {
        notifier_->stop();
        EXPECT_TRUE(net_.wait(notifier_->join(net_.timers().after(30s))));
    }
    void submit(const alerting::Alert& alert, const std::string& state) {
        const std::vector<model::StateWrite> also{{"evaluate/" + state, state}};
        EXPECT_TRUE(notifier_->submit(net_.clock().wall_now(), {&alert, 1}, also));
        EXPECT_TRUE(notifier_->submit(net_.clock().wall_now(), {}, also));
    }
    /// Every thread lets its own shops slip and recover.
    std::vector<std::thread> start_submitters() {
        std::vector<std::thread> threads;
        for (int thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([this, thread] {
                for (int i = 0; i < kShopsPerThread; ++i) {
                    const std::string shop = std::to_string(thread) + "/" + std::to_string(i);
                    submit(firing(shop), shop);
                    submit(ended(firing(shop), net_.clock().wall_now()), shop);
                }
            });
        }
        return threads;
    }
    void wait_until_delivered() {
        while (notifier_->list({.state = MessageState::kDelivered}).size() < kMessages) {
            std::this_thread::yield();
        }
    }
    /// Each shop was told "+" and "-", in this order, each under one id.
    void expect_whole() const {
        std::map<std::string, std::string> shops;
        std::set<std::string> ids;
        for (const net::HttpClientRequest& request : transport_.requests(kOps)) {
            if (ids.insert(header(request, "webhook-id")).second) {
                const std::string words = said(request.body);
                shops[words.substr(1)] += words.substr(0, 1);
            }
        }
        EXPECT_EQ(shops.size(), kMessages / 2);
        for (const auto& [shop, history] : shops) {
            EXPECT_EQ(history, "+-") << shop;
        }
    }

    FailingStore store_;
    FakeTransport transport_;
    kpid::testing::NetFixture net_;
    std::unique_ptr<prometheus::Registry> registry_;
    std::unique_ptr<Notifier> notifier_;
};

TEST_F(NotifierConcurrency, TellsEverythingOnceInOrderWhileOthersLookAndReload) {
    start();
    std::vector<std::thread> submitters = start_submitters();
    std::atomic<bool> done = false;
    std::thread meddler([this, &done] {
        while (!done) {
            for (const Message& message : notifier_->list({})) {
                static_cast<void>(notifier_->retry(message.id));
            }
            notifier_->reconfigure(config());
            static_cast<void>(registry_->Collect());
        }
    });
    for (std::thread& thread : submitters) {
        thread.join();
    }
    wait_until_delivered();
    done = true;
    meddler.join();
    EXPECT_EQ(transport_.requests(kOps).size(), kMessages);
    expect_whole();
    stop_and_join();
}

TEST_F(NotifierConcurrency, LosesNothingWhenItStopsInTheMiddle) {
    start();
    std::vector<std::thread> submitters = start_submitters();
    while (transport_.count() < kMessages / 4) {
        std::this_thread::yield();
    }
    stop_and_join();
    for (std::thread& thread : submitters) {
        thread.join();  // What they submit now is kept for the next life.
    }
    notifier_.reset();
    start();
    wait_until_delivered();
    expect_whole();
    stop_and_join();
}

TEST_F(NotifierConcurrency, TellsNothingUntilTheStoreTakesIt) {
    start();
    store_.fail_after(0);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([this, thread] {
            const alerting::Alert alert = firing(std::to_string(thread));
            EXPECT_FALSE(notifier_->submit(net_.clock().wall_now(), {&alert, 1}, {}));
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(transport_.requests(kOps).size(), 0U);
    store_.recover();
    while (notifier_->list({.state = MessageState::kDelivered}).size() < kThreads) {
        std::this_thread::yield();
    }
    stop_and_join();
}

}  // namespace
}  // namespace kpid::notify::testing
