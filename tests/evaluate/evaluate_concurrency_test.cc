// The scheduler and the triggers on real threads.
#include "config/load.h"
#include "evaluate/evaluator.h"
#include "support/collecting_sink.h"
#include "support/memory_storage.h"
#include "support/net_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <atomic>
#include <thread>
#include <vector>

namespace kpid::evaluate::testing {
namespace {

using namespace std::chrono_literals;

/// Notices when two threads evaluate it at once.
class ExclusiveUnit final : public Unit {
public:
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] Duration interval() const override { return 1ms; }
    [[nodiscard]] bool gone() const override { return gone_; }
    void evaluate(Timestamp, MonoTime) override {
        if (running_.exchange(true)) {
            twice_ = true;
        }
        ++unguarded_;
        running_ = false;
    }
    void set_gone() { gone_ = true; }
    [[nodiscard]] bool ran_twice_at_once() const { return twice_; }

private:
    const std::string name_ = "exclusive";
    std::atomic<bool> running_ = false;
    std::atomic<bool> twice_ = false;
    std::atomic<bool> gone_ = false;
    long unguarded_ = 0;  // The thread sanitizer sees a run that is not exclusive.
};

TEST(SchedulerConcurrency, EvaluatesAUnitNeverTwiceAtOnce) {
    ::kpid::testing::NetFixture net;
    prometheus::Registry registry;
    Metrics metrics(registry);
    Scheduler scheduler(net.runtime().make_strand(), net.timers(), net.workers(), metrics,
                        Logger());
    std::vector<std::shared_ptr<ExclusiveUnit>> units;
    std::vector<Scheduler::SlotPtr> slots;
    for (int i = 0; i < 6; ++i) {
        units.push_back(std::make_shared<ExclusiveUnit>());
        slots.push_back(scheduler.add(units.back()));
    }
    std::vector<std::thread> askers;
    for (int t = 0; t < 3; ++t) {
        askers.emplace_back([&, t] {
            for (int i = 0; i < 400; ++i) {
                const auto& slot = slots[static_cast<std::size_t>(i + t) % slots.size()];
                scheduler.request(slot, net.clock().wall_now(), net.clock().mono_now());
                if (i % 50 == 0) {
                    scheduler.reschedule(slot);
                    scheduler.request_later(slot, net.clock().mono_now() + 1ms, MonoTime{},
                                            [] { return std::optional(Timestamp()); });
                }
            }
        });
    }
    for (std::thread& asker : askers) {
        asker.join();
    }
    units[0]->set_gone();
    scheduler.retire(slots[0]);
    scheduler.stop();
    EXPECT_TRUE(net.wait(scheduler.join(net.timers().after(10s))));
    for (const auto& unit : units) {
        EXPECT_FALSE(unit->ran_twice_at_once());
    }
}

TEST(EvaluatorConcurrency, JudgesUnderPushesReloadsAndViews) {
    ::kpid::testing::NetFixture net;
    ::kpid::testing::MemoryStorage storage;
    ::kpid::testing::CollectingSink sink(storage);
    prometheus::Registry registry;
    Evaluator evaluator(net.runtime().make_strand(),
                        {.reader = storage,
                         .appender = storage,
                         .state = storage,
                         .sink = sink,
                         .timers = net.timers(),
                         .executor = net.workers(),
                         .registry = registry,
                         .sources = {.is_polled = [](std::string_view) { return false; },
                                     .answered_since_start = [](std::string_view) { return true; },
                                     .all_answered_since_start = [] { return true; }},
                         .log = Logger()});
    const auto load = [](const std::string& threshold, bool with_second) {
        std::string text =
            "global: {evaluation_interval: 5ms}\n"
            "owners: {ops: {title: Operations}}\n"
            "rule_files: [rules.yml]\n"
            "kpis:\n"
            "  a: {title: A, owner: ops, unit: count, better: higher, value: {expr: a}, "
            "evaluate: on_sample, critical: " +
            threshold + "}\n";
        if (with_second) {
            text +=
                "  b: {title: B, owner: ops, unit: count, better: higher, value: {expr: a / b}, "
                "evaluate: on_sample, critical: 4}\n";
        }
        const config::MapFileReader files(
            {{"kpid.yaml", text},
             {"rules.yml", "groups: [{name: g, rules: [{alert: Low, expr: 'a < 5'}]}]\n"}});
        return config::load_config("kpid.yaml", {.files = &files}).config;
    };
    ASSERT_NE(load("4", true), nullptr);
    evaluator.start(load("4", true));
    storage.set_observer(&evaluator.observer());

    std::atomic<bool> ends = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 150; ++i) {
                const std::vector<model::SeriesSample> samples{
                    {{{"__name__", t == 0 ? "a" : "b"}}, net.clock().wall_now(), double(i % 10)}};
                static_cast<void>(
                    storage.append({.samples = samples, .now = net.clock().wall_now()}));
                std::this_thread::yield();
            }
        });
    }
    threads.emplace_back([&] {
        while (!ends) {
            static_cast<void>(evaluator.kpis());
            static_cast<void>(evaluator.rule_groups());
            static_cast<void>(evaluator.alerts());
            std::this_thread::yield();
        }
    });
    for (int i = 0; i < 20; ++i) {
        evaluator.reconfigure(load(i % 2 == 0 ? "6" : "4", i % 3 == 0));
    }
    threads[0].join();
    threads[1].join();
    ends = true;
    threads[2].join();
    evaluator.stop();
    EXPECT_TRUE(net.wait(evaluator.join(net.timers().after(10s))));
    storage.set_observer(nullptr);
    EXPECT_THAT(sink.breaches(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace kpid::evaluate::testing
