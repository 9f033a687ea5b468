// Chunks on the disk and the records that they replace: over months of a manual clock, restarts and
// a disk that fails, against a map that holds the same.

#include "storage/storage_fixture.h"
#include "support/faulty_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace kpid::storage {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FaultyDisk;

class StorageCheckpoint : public ::testing::Test {
protected:
    void SetUp() override {
        options_.path = "unused";
        reopen();
    }
    void reopen() {
        storage_.reset();
        auto opened = Storage::open(options_, disk_.opener());
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        storage_ = *std::move(opened);
    }
    bool append(std::vector<model::SeriesSample> samples, Timestamp now) {
        const auto result = append_to(*storage_, std::move(samples), {}, now);
        return result.has_value() && result->rejected.empty();
    }
    bool maintain(Timestamp now) { return storage_->maintain(now).has_value(); }

    FaultyDisk disk_;
    StorageOptions options_;
    std::unique_ptr<Storage> storage_;
};

TEST_F(StorageCheckpoint, ChunksTakeThePlaceOfRecords) {
    Timestamp now = kNow;
    for (int i = 0; i < 2000; ++i) {
        now = kNow + std::chrono::seconds(15 * i);
        ASSERT_TRUE(append({sample_of("a", now, i), sample_of("b", now, i % 3)}, now));
    }
    const Lines before = read_all(*storage_);
    EXPECT_EQ(disk_.entries(LogTable::kSamples), 2000U);
    ASSERT_TRUE(maintain(now));
    EXPECT_EQ(disk_.entries(LogTable::kSamples), 0U);
    // 480 samples a sealed chunk, and the open one.
    EXPECT_EQ(disk_.entries(LogTable::kChunks), 2U * 4U);
    EXPECT_EQ(disk_.entries(LogTable::kOpen), 2U);
    reopen();
    EXPECT_EQ(read_all(*storage_), before);
    EXPECT_EQ(storage_->stats().samples_in_memory, 2U * 80U);
}

TEST_F(StorageCheckpoint, IsNotMadeAtEachMaintenance) {
    ASSERT_TRUE(append({sample_of("a", kNow, 1)}, kNow));
    ASSERT_TRUE(maintain(kNow));
    ASSERT_TRUE(append({sample_of("a", kNow + minutes(1), 1)}, kNow + minutes(1)));
    ASSERT_TRUE(maintain(kNow + minutes(14)));
    EXPECT_EQ(disk_.entries(LogTable::kSamples), 1U);
    ASSERT_TRUE(maintain(kNow + minutes(15)));
    EXPECT_EQ(disk_.entries(LogTable::kSamples), 0U);
    EXPECT_EQ(disk_.entries(LogTable::kOpen), 1U);
}

TEST_F(StorageCheckpoint, AnOpenChunkGrowsOnOverARestart) {
    Timestamp now = kNow;
    for (int i = 0; i < 10; ++i) {
        now = now + minutes(16);
        ASSERT_TRUE(append({sample_of("a", now, i)}, now));
        ASSERT_TRUE(maintain(now));
        reopen();
    }
    EXPECT_EQ(disk_.entries(LogTable::kOpen), 1U);
    EXPECT_EQ(disk_.entries(LogTable::kChunks), 0U);
    EXPECT_EQ(read_all(*storage_).size(), 10U);
}

TEST_F(StorageCheckpoint, WhatIsBeyondTheRetentionLeavesTheDisk) {
    options_.retention = hours(1);
    reopen();
    ASSERT_TRUE(append({sample_of("gone", kNow, 1), sample_of("stays", kNow, 1)}, kNow));
    ASSERT_TRUE(maintain(kNow));
    const Timestamp later = kNow + hours(2);
    ASSERT_TRUE(append({sample_of("stays", later, 2)}, later));
    ASSERT_TRUE(maintain(later));
    EXPECT_EQ(disk_.entries(LogTable::kOpen), 1U);
    EXPECT_EQ(disk_.entries(LogTable::kSeries), 2U);  // the storage's own entry beside
    reopen();
    EXPECT_EQ(read_all(*storage_), (Lines{"stays 7200000 2"}));
}

TEST_F(StorageCheckpoint, TheHandleOfASeriesThatIsGoneDoesNoHarm) {
    options_.retention = hours(1);
    reopen();
    std::vector<model::SeriesHandle> handles(1);
    const auto append_by_handle = [&](Timestamp now, double value) {
        const std::vector<model::SeriesSample> samples{sample_of("gone", now, value)};
        const auto result = storage_->append({.samples = samples, .handles = handles, .now = now});
        return result.has_value() && result->accepted == 1;
    };
    ASSERT_TRUE(append_by_handle(kNow, 1));
    const model::SeriesHandle before = handles[0];
    const Timestamp later = kNow + hours(2);
    for (const bool is_place_taken : {false, true}) {
        ASSERT_TRUE(maintain(later));
        ASSERT_TRUE(maintain(later + minutes(20)));
        ASSERT_EQ(storage_->stats().series, is_place_taken ? 2U : 0U);
        handles[0] = before;
        if (is_place_taken) {
            ASSERT_TRUE(append({sample_of("other", later + minutes(1), 5)}, later + minutes(20)));
        }
        ASSERT_TRUE(append_by_handle(later + minutes(is_place_taken ? 3 : 2), 2));
        EXPECT_NE(handles[0], before);
        if (!is_place_taken) {
            ASSERT_TRUE(append({sample_of("other", later, 4)}, later));
        }
    }
    EXPECT_EQ(read_all(*storage_),
              (Lines{"gone 7320000 2", "gone 7380000 2", "other 7200000 4", "other 7260000 5"}));
}

// The disk has taken the definition away though the call failed: who appends then finds it again.
TEST_F(StorageCheckpoint, ASeriesThatWasNearlyForgottenIsStillDefined) {
    options_.retention = hours(1);
    reopen();
    ASSERT_TRUE(append({sample_of("a", kNow, 1), sample_of("b", kNow, 1)}, kNow));
    // The checkpoint is behind, so that the next maintenance only forgets.
    ASSERT_TRUE(maintain(kNow + minutes(59)));
    disk_.set_fault(FaultyDisk::Fault::kLoseAnswer);
    EXPECT_FALSE(maintain(kNow + minutes(62)));
    disk_.set_fault(FaultyDisk::Fault::kNone);
    const Timestamp now = kNow + minutes(63);
    ASSERT_TRUE(append({sample_of("b", now, 2)}, now));
    reopen();
    EXPECT_EQ(storage_->stats().quarantined_total, 0U);
    EXPECT_EQ(read_all(*storage_), (Lines{"b 3780000 2"}));
}

// Memory keeps a bound of what it gave up; after deletions nothing may be near it.
TEST_F(StorageCheckpoint, WhatComesAfterADeletionIsInOrder) {
    options_.sealed_bytes_in_memory_max = 0;
    options_.out_of_order_window = Duration(0);
    reopen();
    const auto time = [](int i) { return kNow + std::chrono::seconds(15 * i); };
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(append({sample_of("a", time(i), i)}, time(i)));
    }
    const std::vector<model::Matcher> matchers{model::Matcher::equal(model::kMetricName, "a")};
    for (const model::TimeRange range :
         {model::TimeRange{time(100), Timestamp::max()}, model::TimeRange{time(0), time(99)}}) {
        ASSERT_TRUE(maintain(time(1000)));
        ASSERT_TRUE(storage_->checkpoint(time(1000)).has_value());
        ASSERT_TRUE(storage_->delete_series(matchers, range).has_value());
    }
    EXPECT_EQ(read_all(*storage_), Lines{});
    EXPECT_TRUE(append({sample_of("a", time(50), 1), sample_of("a", time(51), 2)}, time(1000)));
    EXPECT_EQ(read_all(*storage_), (Lines{"a 750000 1", "a 765000 2"}));
    EXPECT_FALSE(append({sample_of("a", time(49), 3)}, time(1000)));
}

// The log drops what is old when it likes: also before the next maintenance has looked.
TEST_F(StorageCheckpoint, WhatIsKeptForLongIsNotDroppedInBetween) {
    options_.retention = hours(1);
    options_.retention_recorded = hours(100);
    reopen();
    ASSERT_TRUE(append({sample_of("other", kNow, 1)}, kNow));
    ASSERT_TRUE(maintain(kNow));
    const std::vector<model::SeriesSample> old{sample_of("kpid_kpi_value", kNow - hours(2), 7)};
    const auto appended = storage_->append({.samples = old,
                                            .origin = model::AppendOrigin::kRecorded,
                                            .now = kNow,
                                            .kind = model::MetricKind::kTotal});
    ASSERT_TRUE(appended.has_value());
    ASSERT_EQ(appended->accepted, 1U);
    ASSERT_TRUE(storage_->checkpoint(kNow).has_value());
    for (int start = 0; start < 2; ++start) {
        ASSERT_TRUE(storage_->clean_tombstones().has_value());
        EXPECT_EQ(disk_.entries(LogTable::kVersions), 1U) << start;
        reopen();
    }
    EXPECT_EQ(read_all(*storage_), (Lines{"kpid_kpi_value -7200000 7", "other 0 1"}));
}

// Forty series come together, so that they are defined in two blocks; each time some of them go.
TEST_F(StorageCheckpoint, SeriesOfABlockGoOneByOne) {
    for (const auto fault :
         {FaultyDisk::Fault::kNone, FaultyDisk::Fault::kRefuse, FaultyDisk::Fault::kLoseAnswer}) {
        disk_.wipe();
        options_.retention = hours(1);
        reopen();
        constexpr std::size_t kCount = 40;
        const auto samples = [](Timestamp now, std::size_t step) {
            std::vector<model::SeriesSample> all;
            for (std::size_t i = 0; i < kCount; i += step) {
                all.push_back(sample_of(fmt::format("s{:02}", i), now, static_cast<double>(i)));
            }
            return all;
        };
        Timestamp now = kNow;
        for (std::size_t step = 1; step <= kCount; step *= 2) {
            ASSERT_TRUE(append(samples(now, step), now));
            ASSERT_TRUE(maintain(now));
            now = now + hours(2);
            ASSERT_TRUE(append(samples(now, step * 2), now));
            disk_.set_fault(fault);
            EXPECT_EQ(maintain(now), fault == FaultyDisk::Fault::kNone);
            disk_.set_fault(FaultyDisk::Fault::kNone);
            reopen();
            if (fault != FaultyDisk::Fault::kNone) {
                ASSERT_TRUE(append({sample_of("s00", now + hours(1), 0)}, now + hours(1)));
                now = now + hours(1);
            }
            ASSERT_TRUE(maintain(now));
            reopen();
            EXPECT_EQ(storage_->stats().series, (kCount + 2 * step - 1) / (2 * step)) << step;
            EXPECT_EQ(storage_->stats().quarantined_total, 0U);
        }
        EXPECT_LE(disk_.entries(LogTable::kSeries), 3U);
    }
}

TEST_F(StorageCheckpoint, KeepsTheRecordsThatCameMeanwhile) {
    ASSERT_TRUE(append({sample_of("a", kNow, 1)}, kNow));
    disk_.hold();
    std::thread checkpoint([this] { EXPECT_TRUE(maintain(kNow)); });
    disk_.wait_for_held_write();  // The chunks; the records they stand for are named already.
    std::thread late([this] { EXPECT_TRUE(append({sample_of("b", kNow, 2)}, kNow)); });
    for (int i = 0; i < 10'000; ++i) {
        std::this_thread::yield();  // So that it most likely waits before the records go.
    }
    disk_.release();
    checkpoint.join();
    late.join();
    reopen();
    EXPECT_EQ(read_all(*storage_), (Lines{"a 0 1", "b 0 2"}));
}

TEST_F(StorageCheckpoint, EndsEarlyWhenTheStorageCloses) {
    ASSERT_TRUE(append({sample_of("a", kNow, 1)}, kNow));
    storage_->stop_maintenance();
    const Result<void> maintained = storage_->maintain(kNow);
    ASSERT_FALSE(maintained.has_value());
    EXPECT_EQ(maintained.error().code, Code::kCancelled);
    EXPECT_EQ(disk_.entries(LogTable::kSamples), 1U);
    reopen();
    EXPECT_TRUE(maintain(kNow));
    EXPECT_EQ(read_all(*storage_), (Lines{"a 0 1"}));
}

// A clock, a storage and what it must hold.
class StorageHistory : public StorageCheckpoint {
protected:
    void run(std::uint64_t seed, int steps) {
        random_.seed(seed);
        now_ = kNow;
        held_.clear();
        for (int i = 0; i < steps && !HasFatalFailure(); ++i) {
            SCOPED_TRACE(fmt::format("seed {} step {}", seed, i));
            step();
        }
    }

private:
    std::int64_t pick(std::int64_t below) {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
    }

    void step() {
        now_ = now_ + Duration(pick(20 * 60 * 1000));
        disk_.set_fault(pick(10) == 0   ? FaultyDisk::Fault::kRefuse
                        : pick(10) == 0 ? FaultyDisk::Fault::kLoseAnswer
                                        : FaultyDisk::Fault::kNone);
        add_samples();
        if (pick(2) == 0) {
            tidy_up();
        }
        if (pick(8) == 0) {
            disk_.set_fault(FaultyDisk::Fault::kNone);
            // A refused write may stand on the disk until the next one.
            ASSERT_TRUE(storage_->write(std::vector<model::StateWrite>{{"k", "v"}}));
            reopen();
            tidy_up();
        }
        compare();
    }

    void add_samples() {
        std::vector<model::SeriesSample> samples;
        std::map<std::string, std::map<Timestamp, double>> added;
        for (std::int64_t i = pick(400); i > 0; --i) {
            const std::string name = fmt::format("m{}", pick(4));
            // Mostly near the end, at times as late as the window allows.
            const Timestamp time = now_ - Duration(pick(pick(5) == 0 ? 3'500'000 : 900'000));
            const auto& held = held_[name];
            if (time < now_ - options_.out_of_order_window || held.contains(time) ||
                added[name].contains(time)) {
                continue;
            }
            const auto value = static_cast<double>(pick(1000)) / 4;
            added[name].emplace(time, value);
            samples.push_back(sample_of(name, time, value));
        }
        const auto result = append_to(*storage_, samples, {}, now_);
        if (!result.has_value()) {
            return;
        }
        ASSERT_TRUE(result->rejected.empty()) << result->rejected.front().message;
        for (auto& [name, times] : added) {
            held_[name].merge(times);
        }
    }

    void tidy_up() {
        static_cast<void>(storage_->maintain(now_));
        for (auto& [name, times] : held_) {
            times.erase(times.begin(), times.lower_bound(now_ - options_.retention));
        }
    }

    void compare() {
        Lines want;
        for (const auto& [name, times] : held_) {
            for (const auto& [time, value] : times) {
                want.push_back(
                    fmt::format("{} {} {}", name, time.ms() - kNow.ms(), fmt::format("{}", value)));
            }
        }
        ASSERT_EQ(read_all(*storage_), want);
    }

    std::mt19937_64 random_;
    Timestamp now_ = kNow;
    std::map<std::string, std::map<Timestamp, double>> held_;
};

TEST_F(StorageHistory, IsAlwaysWhatWasAcknowledged) {
    options_.retention = hours(6);
    options_.out_of_order_window = hours(1);
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        disk_.wipe();
        reopen();
        run(seed, 60);
        if (HasFatalFailure()) {
            return;
        }
    }
}

}  // namespace
}  // namespace kpid::storage
