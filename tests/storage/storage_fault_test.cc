// A disk that fails: what is refused, what is never seen, and that it goes on afterwards.

#include "storage/record.h"
#include "storage/storage_fixture.h"
#include "support/faulty_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <thread>

namespace kpid::storage {
namespace {

using testing::FaultyDisk;
using ::testing::HasSubstr;

class StorageFault : public ::testing::Test {
protected:
    void SetUp() override { reopen(); }
    void reopen() {
        storage_.reset();
        options_.path = "unused";
        auto opened = Storage::open(options_, disk_.opener());
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        storage_ = *std::move(opened);
    }
    bool stored(std::vector<model::SeriesSample> samples,
                std::vector<model::StateWrite> state = {}) {
        return append_to(*storage_, std::move(samples), std::move(state)).has_value();
    }
    Lines read() { return read_all(*storage_); }

    FaultyDisk disk_;
    StorageOptions options_;
    std::unique_ptr<Storage> storage_;
};

TEST_F(StorageFault, RefusesWhileTheDiskFailsAndGoesOnAfterwards) {
    for (const FaultyDisk::Fault fault :
         {FaultyDisk::Fault::kRefuse, FaultyDisk::Fault::kLoseAnswer}) {
        SCOPED_TRACE(static_cast<int>(fault));
        disk_.wipe();
        reopen();
        ASSERT_TRUE(stored({sample_of("a", kNow, 1)}, {{"k/kept", "old"}}));
        disk_.set_fault(fault);
        const auto refused =
            append_to(*storage_, {sample_of("a", kNow + Duration(1), 2), sample_of("b", kNow, 9)},
                      {{"k/kept", "new"}, {"k/other", "x"}});
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().code, Code::kUnavailable);
        EXPECT_EQ(storage_->health().error().code, Code::kUnavailable);
        EXPECT_EQ(storage_->stats().write_failures_total, 1U);
        EXPECT_EQ(read(), (Lines{"a 0 1"}));
        EXPECT_EQ(*storage_->get("k/kept"), "old");
        EXPECT_EQ(storage_->stats().series, 1U);

        disk_.set_fault(FaultyDisk::Fault::kNone);
        ASSERT_TRUE(stored({sample_of("b", kNow, 3)}));
        EXPECT_TRUE(storage_->health().has_value());
        const Lines want{"a 0 1", "b 0 3"};
        EXPECT_EQ(read(), want);
        // What failed is not on disk either, though the disk had taken it.
        reopen();
        EXPECT_EQ(read(), want);
        EXPECT_EQ(*storage_->get("k/kept"), "old");
        EXPECT_EQ(*storage_->get("k/other"), std::nullopt);
        EXPECT_EQ(disk_.entries(LogTable::kSeries), 2U);
    }
}

TEST_F(StorageFault, AcceptsARepetitionWithoutTheDisk) {
    ASSERT_TRUE(stored({sample_of("a", kNow, 1)}));
    disk_.set_fault(FaultyDisk::Fault::kRefuse);
    EXPECT_TRUE(stored({sample_of("a", kNow, 1)}));
}

TEST_F(StorageFault, NeverLosesASeriesWhoseForgettingFailed) {
    const Timestamp later = kNow + options_.retention + std::chrono::hours(1);
    for (const FaultyDisk::Fault fault :
         {FaultyDisk::Fault::kRefuse, FaultyDisk::Fault::kLoseAnswer}) {
        SCOPED_TRACE(static_cast<int>(fault));
        disk_.wipe();
        reopen();
        ASSERT_TRUE(stored({sample_of("a", kNow, 1)}));
        disk_.set_fault(fault);
        EXPECT_FALSE(storage_->maintain(later).has_value());
        disk_.set_fault(FaultyDisk::Fault::kNone);
        ASSERT_TRUE(append_to(*storage_, {sample_of("a", later, 2)}, {}, later).has_value());
        ASSERT_TRUE(storage_->maintain(later).has_value());
        reopen();
        ASSERT_TRUE(storage_->maintain(later).has_value());
        ASSERT_EQ(read().size(), 1U);
        EXPECT_EQ(read_all(*storage_, {}, {later, later}).size(), 1U);
    }
}

TEST_F(StorageFault, NeverGivesANumberAgainThatAChunkNames) {
    std::size_t half_saved = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        disk_.wipe();
        reopen();
        ASSERT_TRUE(stored({sample_of("a", kNow, 1)}));
        // These take numbers of records that never come.
        disk_.set_fault(FaultyDisk::Fault::kRefuse);
        ASSERT_FALSE(stored({sample_of("a", kNow + Duration(1), 2)}));
        ASSERT_FALSE(stored({sample_of("a", kNow + Duration(1), 2)}));
        disk_.set_fault(FaultyDisk::Fault::kNone);
        disk_.set_plan({.seed = seed, .write_refused = 0.5});
        const bool checkpointed = storage_->checkpoint(kNow).has_value();
        half_saved += !checkpointed && disk_.entries(LogTable::kOpen) == 1 ? 1U : 0U;
        disk_.set_plan({});
        reopen();
        ASSERT_TRUE(stored({sample_of("a", kNow + Duration(3), 3)}));
        reopen();
        EXPECT_EQ(read(), (Lines{"a 0 1", "a 3 3"}));
    }
    EXPECT_GT(half_saved, 0U);
}

TEST_F(StorageFault, NeverShowsAnEventThatFailed) {
    storage_->declare_kinds({{"e", model::MetricKind::kEvent}});
    ASSERT_TRUE(stored({sample_of("e", kNow, 1)}));
    disk_.set_fault(FaultyDisk::Fault::kLoseAnswer);
    ASSERT_FALSE(stored({sample_of("e", kNow, 2), sample_of("e", kNow - Duration(1), 3)}));
    disk_.set_fault(FaultyDisk::Fault::kNone);
    EXPECT_EQ(read(), (Lines{"e 0 1"}));
    // With the next write its rows go.
    ASSERT_TRUE(stored({sample_of("e", kNow, 4)}));
    const Lines want{"e 0 1", "e 0 4"};
    EXPECT_EQ(read(), want);
    EXPECT_EQ(disk_.entries(LogTable::kVersions), 2U);
    reopen();
    EXPECT_EQ(read(), want);
}

TEST_F(StorageFault, SyncsWhenAsked) {
    ASSERT_TRUE(stored({sample_of("a", kNow, 1)}));
    EXPECT_FALSE(disk_.last_write_was_synced());
    options_.durability = Durability::kFsync;
    reopen();
    ASSERT_TRUE(stored({sample_of("a", kNow + Duration(1), 1)}));
    EXPECT_TRUE(disk_.last_write_was_synced());
}

TEST_F(StorageFault, RefusesWhenTooMuchWaitsAndCommitsTheWaitingAsOneGroup) {
    options_.queue_batches_max = 3;
    reopen();
    disk_.hold();
    std::vector<std::thread> appenders;
    appenders.emplace_back([this] { EXPECT_TRUE(stored({sample_of("first", kNow, 1)})); });
    disk_.wait_for_held_write();
    std::atomic<int> refused = 0;
    std::atomic<int> accepted = 0;
    for (int i = 0; i < 5; ++i) {
        appenders.emplace_back([this, i, &refused, &accepted] {
            const auto result =
                append_to(*storage_, {sample_of("a", kNow, i), sample_of("b", kNow, 1)});
            if (result) {
                ++accepted;
            } else {
                EXPECT_EQ(result.error().code, Code::kResourceExhausted);
                ++refused;
            }
        });
    }
    while (refused < 2) {
        std::this_thread::yield();
    }
    EXPECT_EQ(read(), Lines{});
    disk_.release();
    for (std::thread& appender : appenders) {
        appender.join();
    }
    EXPECT_EQ(accepted, 3);
    EXPECT_EQ(refused, 2);
    EXPECT_EQ(storage_->stats().queue_refusals_total, 2U);
    EXPECT_EQ(storage_->stats().commits_total, 2U);
    // Of three values for one instant one stays.
    EXPECT_EQ(storage_->stats().rejected(model::RejectReason::kDuplicateTimestamp), 2U);
    EXPECT_EQ(read().size(), 3U);
}

TEST_F(StorageFault, SetsAsideWhatIsDamaged) {
    storage_.reset();
    SampleRecordWriter writer(RecordKind::kExternal, 1);
    writer.add(SeriesId(5), kNow, 1);
    disk_.put(LogTable::kSamples, encode_key(9), writer.finish());
    disk_.put(LogTable::kSamples, encode_key(10), "\x02\x09");
    disk_.put(LogTable::kSeries, encode_key(3), "\x01\xff\x7f");
    const auto opened = Storage::open(options_, disk_.opener());
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ((*opened)->stats().quarantined_total, 3U);
    EXPECT_EQ(disk_.entries(LogTable::kQuarantine), 3U);
    EXPECT_EQ(disk_.entries(LogTable::kSamples), 0U);
}

// The size of a file bounded by the operating system stands for the full disk.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &previous_);
        rlimit limit = previous_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &previous_);
        std::signal(SIGXFSZ, previous_handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit previous_{};
    void (*previous_handler_)(int) = nullptr;
};

TEST_F(StorageTest, SurvivesARealDiskThatFillsUp) {
    std::size_t stored = 0;
    std::string error;
    // The first kilobytes fit, then a write is torn, then nothing can be written.
    const auto fill = [&] {
        const FileSizeLimit limit(10'000);
        for (int i = 0; i < 2000 && error.empty(); ++i) {
            const auto result = append_to(*storage_, {sample_of("a", kNow + Duration(stored), 1)});
            if (result) {
                ++stored;
            } else {
                error = result.error().message;
            }
        }
        EXPECT_FALSE(
            append_to(*storage_, {sample_of("a", kNow + Duration(stored), 2)}).has_value());
    };
    for (int round = 0; round < 2; ++round) {
        error.clear();
        fill();
        EXPECT_THAT(error, HasSubstr(options_.path));
        EXPECT_FALSE(storage_->health().has_value());
        EXPECT_EQ(read().size(), stored);
        for (int i = 0; i < 5; ++i) {
            const auto result = append_to(*storage_, {sample_of("a", kNow + Duration(stored), 3)});
            ASSERT_TRUE(result.has_value()) << result.error().message;
            ++stored;
        }
        EXPECT_TRUE(storage_->health().has_value());
    }
    const Lines before = read();
    EXPECT_EQ(before.size(), stored);
    reopen();
    EXPECT_EQ(read(), before);
}

}  // namespace
}  // namespace kpid::storage
