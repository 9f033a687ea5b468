// The table of chunks as the disk has it: whatever was written, failed, split or deleted, chunks
// never overlap and hold each sample once.

#include "storage/chunk_codec.h"
#include "storage/chunked_samples.h"
#include "storage/record.h"
#include "storage/storage_fixture.h"
#include "support/faulty_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace kpid::storage {
namespace {

using std::chrono::seconds;
using testing::FaultyDisk;

constexpr Duration kStep = seconds(10);

class StorageChunkTable : public ::testing::Test {
protected:
    void SetUp() override {
        options_.path = "unused";
        options_.out_of_order_window = std::chrono::hours(24);
        reopen();
    }
    void reopen() {
        storage_.reset();
        auto opened = Storage::open(options_, disk_.opener());
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        storage_ = *std::move(opened);
    }
    /// `count` samples, `shift` after every full step from number `first` on.
    bool append(int first, int count, Duration shift = Duration(0)) {
        std::vector<model::SeriesSample> samples;
        for (int i = first; i < first + count; ++i) {
            samples.push_back(sample_of("a", kNow + kStep * i + shift, i));
        }
        const auto result = append_to(*storage_, samples, {}, kNow + std::chrono::hours(12));
        return result.has_value() && result->accepted == samples.size();
    }
    bool checkpoint() { return storage_->checkpoint(kNow).has_value(); }
    bool erase(int first, int last) {
        const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", "a")};
        return storage_->delete_series(matchers, {kNow + kStep * first, kNow + kStep * last})
            .has_value();
    }
    /// Samples of all sealed chunks on the disk, each of them checked beside the one before.
    std::size_t samples_on_disk() {
        std::size_t count = 0;
        Timestamp end = Timestamp::min();
        const auto log = *disk_.opener()(options_.path);
        const auto visit = [&](std::string_view key, std::string_view value) -> Result<bool> {
            SampleColumns columns;
            KPID_CHECK_OK(decode_chunk(value, columns.times, columns.values));
            KPID_TRY(const TimeKey place, decode_time_key(key));
            EXPECT_EQ(place.time, columns.times.back());
            EXPECT_GT(columns.times.front(), end) << "chunks overlap";
            end = columns.times.back();
            count += columns.times.size();
            return true;
        };
        const auto scanned = log->scan(LogTable::kChunks, {}, {}, visit);
        EXPECT_TRUE(scanned.has_value()) << scanned.error().message;
        return count;
    }

    FaultyDisk disk_;
    StorageOptions options_;
    std::unique_ptr<Storage> storage_;
};

TEST_F(StorageChunkTable, HoldsASplitChunkOnce) {
    ASSERT_TRUE(append(0, 600));
    ASSERT_TRUE(checkpoint());
    EXPECT_EQ(samples_on_disk(), 480U);
    ASSERT_TRUE(append(100, 300, seconds(2)));
    ASSERT_TRUE(append(100, 300, seconds(5)));
    ASSERT_TRUE(checkpoint());
    EXPECT_EQ(disk_.entries(LogTable::kChunks), 2U);
    EXPECT_EQ(samples_on_disk(), 1080U);
    const Lines before = read_all(*storage_);
    EXPECT_EQ(before.size(), 1200U);
    reopen();
    EXPECT_EQ(read_all(*storage_), before);
}

TEST_F(StorageChunkTable, HoldsNothingOfADeletionThatFailed) {
    for (const FaultyDisk::Fault fault :
         {FaultyDisk::Fault::kRefuse, FaultyDisk::Fault::kLoseAnswer}) {
        SCOPED_TRACE(static_cast<int>(fault));
        disk_.wipe();
        reopen();
        ASSERT_TRUE(append(0, 600));
        ASSERT_TRUE(checkpoint());
        // The disk may have a chunk that ends earlier now.
        disk_.set_fault(fault);
        ASSERT_FALSE(erase(400, 500));
        disk_.set_fault(FaultyDisk::Fault::kNone);
        ASSERT_TRUE(checkpoint());
        EXPECT_EQ(samples_on_disk(), 480U);
        EXPECT_EQ(disk_.entries(LogTable::kChunks), 1U);
        const Lines before = read_all(*storage_);
        EXPECT_EQ(before.size(), 600U);
        reopen();
        EXPECT_EQ(read_all(*storage_), before);
    }
}

TEST_F(StorageChunkTable, HoldsNothingOfASplitThatFailedAndWasDeletedFrom) {
    options_.sealed_bytes_in_memory_max = 0;
    reopen();
    ASSERT_TRUE(append(0, 600));
    ASSERT_TRUE(checkpoint());
    ASSERT_TRUE(append(0, 480, seconds(2)));
    disk_.set_fault(FaultyDisk::Fault::kLoseAnswer);
    ASSERT_FALSE(checkpoint());
    ASSERT_FALSE(erase(100, 479));
    disk_.set_fault(FaultyDisk::Fault::kNone);
    ASSERT_TRUE(append(0, 479, seconds(5)));
    ASSERT_TRUE(checkpoint());
    EXPECT_EQ(samples_on_disk(), 1438U);
    const Lines before = read_all(*storage_);
    EXPECT_EQ(before.size(), 1559U);
    reopen();
    EXPECT_EQ(read_all(*storage_), before);
}

// Late samples, deletions and checkpoints that fail at times, in any order.
TEST_F(StorageChunkTable, NeverOverlaps) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 8; ++round) {
        SCOPED_TRACE(round);
        disk_.wipe();
        options_.sealed_bytes_in_memory_max = round % 2 == 0 ? 0 : 1U << 20U;
        reopen();
        ASSERT_TRUE(append(0, 1500));
        for (int i = 0; i < 40; ++i) {
            disk_.set_fault(random() % 3 == 0 ? FaultyDisk::Fault::kLoseAnswer
                                              : FaultyDisk::Fault::kNone);
            const int place = static_cast<int>(random() % 1400);
            switch (random() % 3) {
                case 0:
                    (void)append(place, 90,
                                 Duration(1 + static_cast<std::int64_t>(random() % 9999)));
                    break;
                case 1:
                    (void)erase(place, place + static_cast<int>(random() % 50));
                    break;
                default:
                    (void)checkpoint();
                    break;
            }
            disk_.set_fault(FaultyDisk::Fault::kNone);
        }
        ASSERT_TRUE(append(1500, 1));
        ASSERT_TRUE(checkpoint());
        const Lines before = read_all(*storage_);
        EXPECT_LE(samples_on_disk(), before.size());
        reopen();
        EXPECT_EQ(read_all(*storage_), before);
        EXPECT_EQ(samples_on_disk() + storage_->stats().samples_in_memory, before.size());
        if (HasFailure()) {
            return;
        }
    }
}

}  // namespace
}  // namespace kpid::storage
