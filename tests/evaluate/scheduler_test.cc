// The schedule: aligned, spread, once at a time, and what happens to instants that pass.
#include "evaluate/scheduler.h"

#include "support/manual_timers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <atomic>
#include <set>
#include <vector>

namespace kpid::evaluate::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Remembers when it was evaluated.
class RecordingUnit final : public Unit {
public:
    RecordingUnit(std::string name, Duration interval)
        : name_(std::move(name)), interval_(interval) {}
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] Duration interval() const override { return interval_; }
    [[nodiscard]] bool gone() const override { return gone_; }
    void evaluate(Timestamp now, MonoTime cause) override {
        instants.push_back(now);
        causes.push_back(cause);
        if (on_evaluate) {
            on_evaluate();
        }
    }
    void set_interval(Duration interval) { interval_ = interval; }
    void set_gone() { gone_ = true; }
    [[nodiscard]] std::vector<Timestamp> take() { return std::exchange(instants, {}); }

    std::vector<Timestamp> instants;
    std::vector<MonoTime> causes;
    std::function<void()> on_evaluate;

private:
    const std::string name_;
    std::atomic<Duration> interval_;
    std::atomic<bool> gone_ = false;
};

/// Keeps tasks until the test runs them; full when told so.
class HeldExecutor final : public Executor {
public:
    void execute(std::function<void()> task) override { tasks.push_back(std::move(task)); }
    [[nodiscard]] bool offer(const std::function<void()>& task) override {
        if (full) {
            return false;
        }
        tasks.push_back(task);
        return true;
    }
    void parallel_for(std::size_t, const std::function<void(std::size_t)>&) override {}
    [[nodiscard]] std::size_t concurrency() const override { return 1; }
    /// Runs what waits, and what that adds.
    void run_all() {
        while (!tasks.empty()) {
            std::function<void()> task = std::move(tasks.front());
            tasks.pop_front();
            task();
        }
    }
    std::deque<std::function<void()>> tasks;
    bool full = false;
};

class SchedulerTest : public ::testing::Test {
protected:
    SchedulerTest() : metrics_(registry_) { use(inline_); }
    ~SchedulerTest() override {
        scheduler_->stop();
        static_cast<void>(sim_.run(scheduler_->join(MonoTime::max())));
    }
    void use(Executor& executor) {
        scheduler_ = std::make_unique<Scheduler>(sim_.make_strand(), sim_.timers(), executor,
                                                 metrics_, Logger());
    }
    /// Added, and its first evaluation forgotten.
    std::shared_ptr<RecordingUnit> add(const std::string& name, Duration interval) {
        auto unit = std::make_shared<RecordingUnit>(name, interval);
        slot_ = scheduler_->add(unit);
        sim_.run_until_idle();
        static_cast<void>(unit->take());
        return unit;
    }
    [[nodiscard]] Timestamp now() { return sim_.clock().wall_now(); }

    ::kpid::testing::SimRuntime sim_;
    prometheus::Registry registry_;
    Metrics metrics_;
    InlineExecutor inline_;
    HeldExecutor held_;
    std::unique_ptr<Scheduler> scheduler_;
    Scheduler::SlotPtr slot_;
};

TEST_F(SchedulerTest, EvaluatesAtOnceAndThenAtAlignedInstants) {
    auto unit = std::make_shared<RecordingUnit>("a", 30s);
    slot_ = scheduler_->add(unit);
    EXPECT_THAT(unit->take(), ElementsAre(now()));
    sim_.advance(95s);
    const std::vector<Timestamp> instants = unit->take();
    ASSERT_GE(instants.size(), 3U);
    for (const Timestamp instant : instants) {
        EXPECT_EQ(aligned_before(instant, 30s, "a"), instant);
    }
    EXPECT_EQ(instants[1] - instants[0], 30s);
}

TEST_F(SchedulerTest, SpreadsUnitsOverTheInterval) {
    std::set<std::int64_t> offsets;
    for (int i = 0; i < 100; ++i) {
        const Timestamp instant = aligned_before(now(), 60s, "unit" + std::to_string(i));
        EXPECT_LE(instant, now());
        EXPECT_GT(instant + 60s, now());
        offsets.insert(instant.ms() % 60'000);
    }
    EXPECT_GT(offsets.size(), 90U);
    EXPECT_LT(*offsets.begin(), 10'000);
    EXPECT_GT(*offsets.rbegin(), 50'000);
}

TEST_F(SchedulerTest, AlignsBeforeTheEpochToo) {
    for (const std::int64_t ms : {-1, -30'000, -123'456'789}) {
        const Timestamp instant = aligned_before(Timestamp(ms), 30s, "x");
        EXPECT_LE(instant, Timestamp(ms));
        EXPECT_GT(instant + 30s, Timestamp(ms));
    }
}

TEST_F(SchedulerTest, EvaluatesRequestsAtOnceWithTheirCause) {
    const auto unit = add("a", 1h);
    const MonoTime cause(5s);
    scheduler_->request(slot_, now() + 3s, cause);
    EXPECT_THAT(unit->take(), ElementsAre(now() + 3s));
    EXPECT_EQ(unit->causes.back(), cause);
}

TEST_F(SchedulerTest, MakesOneRunOfRequestsThatComeWhileItRuns) {
    const auto unit = add("a", 1h);
    int runs = 0;
    unit->on_evaluate = [&] {
        if (++runs == 1) {
            scheduler_->request(slot_, now() + 1s, MonoTime(2s));
            scheduler_->request(slot_, now() + 5s, MonoTime(1s));
            scheduler_->request(slot_, now() + 2s, MonoTime{});
        }
    };
    scheduler_->request(slot_, now(), MonoTime{});
    EXPECT_THAT(unit->take(), ElementsAre(now(), now() + 5s));
    EXPECT_EQ(unit->causes.back(), MonoTime(1s));
}

TEST_F(SchedulerTest, CountsInstantsThatPassWhileAUnitRuns) {
    scheduler_->stop();
    use(held_);
    const auto unit = std::make_shared<RecordingUnit>("slow", 10s);
    slot_ = scheduler_->add(unit);
    held_.run_all();
    static_cast<void>(unit->take());
    sim_.advance(10s);  // One instant: it waits for the executor from here on.
    EXPECT_EQ(metrics_.missed.Value(), 0);
    sim_.advance(30s);
    EXPECT_EQ(metrics_.missed.Value(), 3);
    held_.run_all();
    const std::vector<Timestamp> instants = unit->take();
    ASSERT_EQ(instants.size(), 1U);  // Only the newest of them.
    EXPECT_GT(instants[0], now() - 10s);
}

TEST_F(SchedulerTest, HandsOnlyAFewAtOnceToTheExecutor) {
    scheduler_->stop();
    use(held_);
    std::vector<std::shared_ptr<RecordingUnit>> units;
    std::vector<Scheduler::SlotPtr> slots;
    for (int i = 0; i < 10; ++i) {
        units.push_back(std::make_shared<RecordingUnit>("u" + std::to_string(i), 1h));
        slots.push_back(scheduler_->add(units.back()));
    }
    EXPECT_EQ(held_.tasks.size(), Scheduler::kInFlightMax);
    held_.run_all();
    for (const auto& unit : units) {
        EXPECT_EQ(unit->take().size(), 1U);
    }
}

TEST_F(SchedulerTest, TriesAgainWhenTheExecutorHasNoRoom) {
    scheduler_->stop();
    use(held_);
    held_.full = true;
    const auto unit = std::make_shared<RecordingUnit>("a", 1h);
    slot_ = scheduler_->add(unit);
    sim_.advance(100ms);
    EXPECT_THAT(held_.tasks, IsEmpty());
    held_.full = false;
    sim_.advance(Scheduler::kExecutorRetry);
    held_.run_all();
    EXPECT_EQ(unit->take().size(), 1U);
}

TEST_F(SchedulerTest, FollowsAChangedInterval) {
    const auto unit = add("a", 1h);
    unit->set_interval(10s);
    scheduler_->reschedule(slot_);
    sim_.advance(60s);
    EXPECT_EQ(unit->take().size(), 6U);
    unit->set_interval(30s);
    scheduler_->reschedule(slot_);
    sim_.advance(60s);
    EXPECT_EQ(unit->take().size(), 2U);  // The old rhythm is over.
}

TEST_F(SchedulerTest, EvaluatesARetiredUnitUntilItIsGone) {
    const auto unit = add("a", 10s);
    scheduler_->retire(slot_);
    EXPECT_EQ(unit->take().size(), 1U);
    sim_.advance(Scheduler::kRemovalRetry);
    EXPECT_EQ(unit->take().size(), 1U);
    unit->set_gone();
    sim_.advance(Scheduler::kRemovalRetry);
    EXPECT_EQ(unit->take().size(), 1U);
    sim_.advance(1min);
    scheduler_->request(slot_, now(), MonoTime{});
    EXPECT_THAT(unit->take(), IsEmpty());
    EXPECT_FALSE(scheduler_->revive(slot_));
}

TEST_F(SchedulerTest, RevivesAUnitThatIsNotGone) {
    const auto unit = add("a", 10s);
    scheduler_->retire(slot_);
    EXPECT_TRUE(scheduler_->revive(slot_));
    static_cast<void>(unit->take());
    sim_.advance(1min);
    EXPECT_GE(unit->take().size(), 6U);
}

TEST_F(SchedulerTest, DecidesAboutDelayedRequestsWhenTheyAreDue) {
    const auto unit = add("a", 1h);
    bool wanted = false;
    const auto on_due = [&]() -> std::optional<Timestamp> {
        return wanted ? std::optional(Timestamp()) : std::nullopt;
    };
    scheduler_->request_later(slot_, sim_.clock().mono_now() + 20ms, MonoTime{}, on_due);
    sim_.advance(30ms);
    EXPECT_THAT(unit->take(), IsEmpty());
    wanted = true;
    scheduler_->request_later(slot_, sim_.clock().mono_now() + 20ms, MonoTime{}, on_due);
    sim_.advance(20ms);
    EXPECT_THAT(unit->take(), ElementsAre(now()));
}

TEST_F(SchedulerTest, GoesOnWhenTheTimeOfDayIsSet) {
    const auto unit = add("a", 30s);
    sim_.clock().set_wall(now() + 1h);
    sim_.advance(60s);
    std::vector<Timestamp> instants = unit->take();
    ASSERT_GE(instants.size(), 2U);
    EXPECT_GT(instants.back(), now() - 31s);
    sim_.clock().set_wall(now() - 2h);
    sim_.advance(90s);
    instants = unit->take();
    ASSERT_GE(instants.size(), 2U);
    EXPECT_LE(instants.back(), now());
    EXPECT_GT(instants.back(), now() - 31s);
}

TEST_F(SchedulerTest, StartsNothingAfterItsStop) {
    const auto unit = add("a", 10s);
    scheduler_->stop();
    scheduler_->request(slot_, now(), MonoTime{});
    sim_.advance(1min);
    EXPECT_THAT(unit->take(), IsEmpty());
    EXPECT_EQ(sim_.run(scheduler_->join(MonoTime::max())), true);
}

TEST_F(SchedulerTest, GivesUpWaitingForARunAtTheDeadline) {
    scheduler_->stop();
    use(held_);
    slot_ = scheduler_->add(std::make_shared<RecordingUnit>("a", 1h));
    scheduler_->stop();
    ::kpid::testing::ManualTimers& timers = sim_.timers();
    bool joined = true;
    const auto wait = [](Scheduler* owner, MonoTime deadline, bool* out) -> net::Task<> {
        const bool all = co_await owner->join(deadline);
        *out = all;
    };
    sim_.tasks().spawn("join", wait(scheduler_.get(), timers.after(1s), &joined));
    sim_.advance(2s);
    EXPECT_FALSE(joined);
    held_.run_all();
}

}  // namespace
}  // namespace kpid::evaluate::testing
