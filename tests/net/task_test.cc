// Task groups, timers, deadlines and workers on simulated time.

#include "net/run_all.h"
#include "net/task_group.h"
#include "net/with_deadline.h"
#include "net/worker_pool.h"
#include "support/manual_timers.h"
#include "support/net_fixture.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kpid::net {
namespace {

using namespace std::chrono_literals;
using testing::NetFixture;
using testing::SimRuntime;

Task<> sleep_then_note(Timers* timers, Duration wait, std::vector<std::string>* notes,
                       std::string name) {
    const Result<void> slept = co_await timers->sleep_until(timers->after(wait));
    notes->push_back(slept ? name : name + " cancelled");
}

Task<> sleep_for_ever(Timers* timers) {
    for (;;) {
        const Result<void> slept = co_await timers->sleep_until(timers->after(1h));
        static_cast<void>(slept);
    }
}

Task<> fail() {
    throw std::runtime_error("broken");
    co_return;
}

Task<Result<int>> answer_after(Timers* timers, Duration wait, int answer) {
    const Result<void> slept = co_await timers->sleep_until(timers->after(wait));
    if (!slept) {
        co_return slept.error();
    }
    co_return answer;
}

Task<> run_three(Timers* timers, std::vector<std::string>* notes) {
    std::vector<Task<>> tasks;
    tasks.push_back(sleep_then_note(timers, 20ms, notes, "a"));
    tasks.push_back(sleep_then_note(timers, 10ms, notes, "b"));
    tasks.push_back(sleep_then_note(timers, 30ms, notes, "c"));
    co_await run_all(std::move(tasks));
    notes->push_back("all");
}

Task<> run_none(std::vector<std::string>* notes) {
    co_await run_all({});
    notes->push_back("none");
}

TEST(Timers, WakeByDeadlineThenByOrderOfComing) {
    SimRuntime sim;
    std::vector<std::string> notes;
    sim.tasks().spawn("c", sleep_then_note(&sim.timers(), 30ms, &notes, "c"));
    sim.tasks().spawn("a", sleep_then_note(&sim.timers(), 10ms, &notes, "a"));
    sim.tasks().spawn("b", sleep_then_note(&sim.timers(), 10ms, &notes, "b"));
    sim.tasks().spawn("now", sleep_then_note(&sim.timers(), 0ms, &notes, "now"));
    sim.run_until_idle();
    EXPECT_EQ(notes, (std::vector<std::string>{"now"}));
    sim.advance(9ms);
    EXPECT_EQ(notes.size(), 1U);
    sim.advance(1ms);
    EXPECT_EQ(notes, (std::vector<std::string>{"now", "a", "b"}));
    sim.advance(1h);
    EXPECT_EQ(notes.back(), "c");
    EXPECT_EQ(sim.timers().size(), 0U);
}

TEST(Timers, SleepersThatSleepAgainWakeInTheSameAdvance) {
    SimRuntime sim;
    sim.tasks().spawn("loop", sleep_for_ever(&sim.timers()));
    sim.advance(10h);
    EXPECT_EQ(sim.timers().size(), 1U);
    EXPECT_EQ(sim.timers().next_deadline(), sim.timers().after(1h));
}

TEST(Timers, OfTheSystemWakeNotBeforeTheDeadline) {
    NetFixture net;
    const MonoTime deadline = net.timers().after(5ms);
    const Result<void> slept = net.wait(net.timers().sleep_until(deadline));
    EXPECT_TRUE(slept.has_value());
    EXPECT_GE(net.clock().mono_now(), deadline);
}

TEST(TaskGroup, CancelsAndJoinsItsTasks) {
    SimRuntime sim;
    std::vector<std::string> notes;
    TaskGroup group(sim.make_strand(), Logger());
    EXPECT_TRUE(group.spawn("forever", sleep_for_ever(&sim.timers())));
    EXPECT_TRUE(group.spawn_on(sim.make_strand(), "note",
                               sleep_then_note(&sim.timers(), 1h, &notes, "note")));
    sim.run_until_idle();
    EXPECT_EQ(group.size(), 2U);
    group.stop();
    EXPECT_FALSE(group.spawn("late", sleep_for_ever(&sim.timers())));
    const std::optional<bool> joined = sim.run(group.join(sim.timers(), sim.timers().after(1s)));
    EXPECT_EQ(joined, true);
    EXPECT_EQ(notes, (std::vector<std::string>{"note cancelled"}));
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, JoinEndsAtItsDeadlineAndLeavesTheTasks) {
    SimRuntime sim;
    TaskGroup group(sim.make_strand(), Logger());
    group.spawn("forever", sleep_for_ever(&sim.timers()));
    std::optional<bool> joined = sim.run(group.join(sim.timers(), sim.timers().after(0s)));
    EXPECT_EQ(joined, false);
    EXPECT_EQ(group.size(), 1U);
    group.stop();
    joined = sim.run(group.join(sim.timers(), sim.timers().after(1s)));
    EXPECT_EQ(joined, true);
}

TEST(TaskGroup, StopsATaskThatHasNotBegun) {
    SimRuntime sim;
    TaskGroup group(sim.make_strand(), Logger());
    group.spawn("forever", sleep_for_ever(&sim.timers()));
    group.stop();
    sim.run_until_idle();
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, ReportsWhatEscapesATaskWithItsName) {
    SimRuntime sim;
    std::vector<std::string> failures;
    TaskGroup group(sim.make_strand(), Logger(),
                    [&failures](std::string_view name, const Error& error) {
                        failures.push_back(std::string(name) + ": " + error.message);
                    });
    group.spawn("bad", fail());
    group.spawn("stopped", sleep_for_ever(&sim.timers()));
    sim.run_until_idle();
    group.stop();
    sim.run_until_idle();
    EXPECT_EQ(failures, (std::vector<std::string>{"bad: broken"}));
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, BearsSpawnAndStopFromManyThreads) {
    NetFixture net;
    for (int round = 0; round < 20; ++round) {
        TaskGroup group(net.runtime().make_strand(), Logger());
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t) {
            threads.emplace_back([&group, &net] {
                while (group.spawn_on(net.runtime().make_strand(), "forever",
                                      sleep_for_ever(&net.timers()))) {
                    if (group.size() > 50) {
                        group.stop();
                    }
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        EXPECT_TRUE(net.wait(group.join(net.timers(), MonoTime::max())));
    }
}

TEST(WithDeadline, GivesTheResultOfATaskThatIsInTime) {
    SimRuntime sim;
    const auto result = std::make_shared<std::optional<Result<int>>>();
    std::optional<Result<int>> answer = sim.run(
        with_deadline(sim.timers(), sim.timers().after(1s), answer_after(&sim.timers(), 0s, 7)));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(*answer, 7);
    EXPECT_EQ(sim.timers().size(), 0U);
}

Task<> bounded(Timers* timers, std::optional<Result<int>>* answer) {
    *answer = co_await with_deadline(*timers, timers->after(1s), answer_after(timers, 2s, 7));
}

TEST(WithDeadline, CancelsATaskThatIsLate) {
    SimRuntime sim;
    std::optional<Result<int>> answer;
    sim.tasks().spawn("bounded", bounded(&sim.timers(), &answer));
    sim.advance(999ms);
    EXPECT_FALSE(answer.has_value());
    sim.advance(1ms);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->error().code, Code::kDeadlineExceeded);
    EXPECT_EQ(sim.timers().size(), 0U);
}

TEST(WithDeadline, IsCancelledWithItsCaller) {
    SimRuntime sim;
    std::optional<Result<int>> answer;
    TaskGroup group(sim.make_strand(), Logger());
    group.spawn("bounded", bounded(&sim.timers(), &answer));
    sim.run_until_idle();
    EXPECT_EQ(sim.timers().size(), 2U);
    group.stop();
    sim.run_until_idle();
    EXPECT_EQ(group.size(), 0U);
    EXPECT_EQ(sim.timers().size(), 0U);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->error().code, Code::kCancelled);
}

TEST(RunAll, RunsTasksAtOnceAndEndsWithTheLast) {
    SimRuntime sim;
    std::vector<std::string> notes;
    sim.tasks().spawn("all", run_three(&sim.timers(), &notes));
    sim.advance(10ms);
    EXPECT_EQ(notes, (std::vector<std::string>{"b"}));
    sim.advance(20ms);
    EXPECT_EQ(notes, (std::vector<std::string>{"b", "a", "c", "all"}));
    sim.tasks().spawn("none", run_none(&notes));
    sim.run_until_idle();
    EXPECT_EQ(notes.back(), "none");
}

TEST(RunAll, IsCancelledWithItsCaller) {
    std::vector<std::string> notes;
    SimRuntime sim;
    sim.tasks().spawn("all", run_three(&sim.timers(), &notes));
    sim.run_until_idle();
    sim.tasks().stop();
    sim.run_until_idle();
    EXPECT_EQ(notes,
              (std::vector<std::string>{"a cancelled", "b cancelled", "c cancelled", "all"}));
    EXPECT_EQ(sim.timers().size(), 0U);
}

TEST(WorkerPool, RunsBlockingWorkAndResumesOnTheStrand) {
    NetFixture net;
    const std::thread::id here = std::this_thread::get_id();
    auto work = [here]() -> Result<int> {
        EXPECT_NE(std::this_thread::get_id(), here);
        return 42;
    };
    EXPECT_EQ(net.wait(offload(net.workers(), work)), 42);
    auto plain = [] { return std::string("text"); };
    EXPECT_EQ(net.wait(offload(net.workers(), plain)), "text");
    auto nothing = [] {};
    EXPECT_TRUE(net.wait(offload(net.workers(), nothing)).has_value());
    auto broken = []() -> int { throw std::runtime_error("disk on fire"); };
    EXPECT_EQ(net.wait(offload(net.workers(), broken)).error(), internal_error("disk on fire"));
}

TEST(WorkerPool, RefusesWhatItsQueueCannotHold) {
    NetFixture net;
    WorkerPool pool({.threads = 1, .queue_max = 1});
    std::promise<void> started;
    std::promise<void> gate;
    std::shared_future<void> opened = gate.get_future().share();
    ASSERT_TRUE(pool.try_execute([&started, opened] {
                        started.set_value();
                        opened.wait();
                    })
                    .has_value());
    started.get_future().wait();
    ASSERT_TRUE(pool.try_execute([] {}).has_value());
    EXPECT_EQ(pool.queued(), 1U);
    auto work = [] { return 1; };
    EXPECT_EQ(net.wait(offload(pool, work)).error().code, Code::kResourceExhausted);
    EXPECT_EQ(pool.refused(), 1U);
    bool ran_here = false;
    pool.execute([&ran_here] { ran_here = true; });
    EXPECT_TRUE(ran_here);
    // The caller alone does the loop while the only worker is held.
    std::atomic<int> sum = 0;
    pool.parallel_for(10, [&sum](std::size_t i) { sum += static_cast<int>(i); });
    EXPECT_EQ(sum, 45);
    gate.set_value();
}

TEST(WorkerPool, GivesThePlacesOfThoseWhoLeftToOthersWhenItsQueueIsFull) {
    NetFixture net;
    WorkerPool pool({.threads = 1, .queue_max = 2});
    std::promise<void> started;
    std::promise<void> gate;
    std::shared_future<void> opened = gate.get_future().share();
    ASSERT_TRUE(pool.try_execute([&started, opened] {
                        started.set_value();
                        opened.wait();
                    })
                    .has_value());
    started.get_future().wait();
    std::stop_source leaver;
    std::atomic<int> dropped = 0;
    std::atomic<int> ran = 0;
    const auto add = [&](const std::stop_token& gone) {
        return pool.try_execute(
            {.run = [&ran] { ++ran; }, .drop = [&dropped] { ++dropped; }, .gone = gone});
    };
    std::stop_source stayer;
    ASSERT_TRUE(add(leaver.get_token()).has_value());
    ASSERT_TRUE(add(stayer.get_token()).has_value());
    EXPECT_EQ(add(stayer.get_token()).error().code, Code::kResourceExhausted);
    leaver.request_stop();
    EXPECT_EQ(dropped, 0);  // there is no need for its place
    EXPECT_TRUE(add(stayer.get_token()).has_value());
    EXPECT_EQ(dropped, 1);
    EXPECT_EQ(pool.queued(), 2U);
    // What waits in a coroutine hears of it.
    stayer.request_stop();
    std::stop_source waiting;
    waiting.request_stop();
    auto work = [&ran] { return ++ran; };
    const auto unwanted = std::async(std::launch::async, [&] {
        while (pool.queued() != 1) {
            std::this_thread::yield();
        }
        EXPECT_TRUE(pool.try_execute([] {}).has_value());
        EXPECT_TRUE(pool.try_execute([] {}).has_value());
    });
    const auto answer = net.wait(offload(pool, work, waiting.get_token()));
    unwanted.wait();
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, Code::kCancelled);
    EXPECT_EQ(dropped, 3);
    EXPECT_EQ(ran, 0);
    gate.set_value();
}

TEST(WorkerPool, RunsLoopsWithinLoops) {
    WorkerPool pool({.threads = 2, .queue_max = 8});
    std::atomic<int> count = 0;
    pool.parallel_for(20, [&pool, &count](std::size_t) {
        pool.parallel_for(20, [&count](std::size_t) { ++count; });
    });
    EXPECT_EQ(count, 400);
    pool.parallel_for(0, [&count](std::size_t) { ++count; });
    EXPECT_EQ(count, 400);
}

TEST(WorkerPool, FinishesItsQueueBeforeItDies) {
    std::atomic<int> count = 0;
    {
        WorkerPool pool({.threads = 1, .queue_max = 100});
        for (int i = 0; i < 50; ++i) {
            pool.execute([&count] { ++count; });
        }
    }
    EXPECT_EQ(count, 50);
}

}  // namespace
}  // namespace kpid::net
