// One damaged entry at a time: what it costs, what it does not, and that it is counted and named.

#include "storage/record.h"
#include "storage/storage_fixture.h"
#include "support/faulty_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace kpid::storage {
namespace {

using std::chrono::seconds;
using testing::FaultyDisk;

class StorageQuarantine : public ::testing::Test {
protected:
    void SetUp() override {
        options_.path = "unused";
        options_.sealed_bytes_in_memory_max = 0;
        reopen();
    }
    void reopen() {
        storage_.reset();
        auto opened = Storage::open(options_, disk_.opener());
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        storage_ = *std::move(opened);
    }
    /// So many samples of the series, ten seconds apart, from number `first` on.
    void append(const std::string& name, int first, int count) {
        std::vector<model::SeriesSample> samples;
        for (int i = first; i < first + count; ++i) {
            samples.push_back(sample_of(name, time_of(i), i));
        }
        const auto result = append_to(*storage_, samples, {}, time_of(2000));
        ASSERT_TRUE(result.has_value()) << result.error().message;
        ASSERT_EQ(result->accepted, samples.size());
    }
    static Timestamp time_of(int number) { return kNow + seconds(10 * number); }
    void checkpoint() { ASSERT_TRUE(storage_->checkpoint(kNow).has_value()); }
    void maintain() { ASSERT_TRUE(storage_->maintain(time_of(2000)).has_value()); }
    void damage_last(LogTable table) { disk_.damage(table, disk_.copy_of(table).rbegin()->first); }
    std::size_t count(const std::string& name) {
        return read_all(*storage_, {model::Matcher::equal("__name__", name)}).size();
    }
    /// Counted and named since the storage was opened.
    void expect_told(std::uint64_t entries) {
        EXPECT_EQ(storage_->stats().quarantined_total, entries);
        EXPECT_EQ(storage_->take_damage_reports().size(), entries);
    }

    FaultyDisk disk_;
    StorageOptions options_;
    std::unique_ptr<Storage> storage_;
};

TEST_F(StorageQuarantine, ALostOpenChunkLeavesTheSealedOnes) {
    append("a", 0, 500);
    append("b", 0, 500);
    checkpoint();
    damage_last(LogTable::kOpen);
    // The second start has nothing but what the first one left on the disk.
    reopen();
    expect_told(1);
    reopen();
    expect_told(0);
    EXPECT_EQ(count("a"), 500U);
    EXPECT_EQ(count("b"), 480U);
    append("b", 480, 30);
    EXPECT_EQ(count("b"), 510U);
}

TEST_F(StorageQuarantine, ALostDefinitionLeavesTheOtherSeriesOfItsRecords) {
    // Series that come together share an entry.
    append("a", 0, 1);
    append("b", 0, 1);
    ASSERT_TRUE(append_to(*storage_, {sample_of("a", time_of(1), 1), sample_of("b", time_of(1), 1)})
                    .has_value());
    damage_last(LogTable::kSeries);
    reopen();
    EXPECT_GT(storage_->stats().quarantined_total, 0U);
    // The record is not gone before a checkpoint.
    reopen();
    EXPECT_EQ(read_all(*storage_), (Lines{"a 0 0", "a 10000 1"}));
    ASSERT_TRUE(append_to(*storage_, {sample_of("b", kNow, 3)}).has_value());
    reopen();
    EXPECT_EQ(read_all(*storage_), (Lines{"a 0 0", "a 10000 1", "b 0 3"}));
}

TEST_F(StorageQuarantine, ALateSampleBesideAChunkThatCannotBeReadIsRefusedAlone) {
    append("a", 0, 500);
    checkpoint();
    damage_last(LogTable::kChunks);
    const auto result = append_to(
        *storage_, {sample_of("a", time_of(300) + Duration(1), 1), sample_of("b", kNow, 1)}, {},
        time_of(500));
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->accepted, 1U);
    ASSERT_EQ(result->rejected.size(), 1U);
    EXPECT_NE(result->rejected[0].message.find("cannot be read"), std::string::npos);
    const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", "a")};
    EXPECT_EQ(storage_->select(matchers, {}, {}).error().code, Code::kDataLoss);
    EXPECT_EQ(storage_->select(matchers, {time_of(490), time_of(499)}, {})->size(), 1U);
}

TEST_F(StorageQuarantine, AReaderOfTheLogPassesADamagedRecord) {
    append("a", 0, 1);
    append("a", 1, 1);
    append("a", 2, 1);
    disk_.damage(LogTable::kSamples, encode_key(2));
    std::size_t samples = 0;
    std::uint64_t lost = 0;
    std::uint64_t position = 1;
    while (position < storage_->log_end()) {
        const auto piece = storage_->read_log(position, 10);
        ASSERT_TRUE(piece.has_value()) << piece.error().message;
        ASSERT_GT(piece->next, position);
        position = piece->next;
        samples += piece->samples.size();
        lost += piece->lost;
    }
    EXPECT_EQ(samples, 2U);
    EXPECT_EQ(lost, 1U);
}

TEST_F(StorageQuarantine, ABitThatTurnedOnTheWayIsNoDamage) {
    append("a", 0, 500);
    checkpoint();
    disk_.set_plan({.bit_flipped = 1, .flipped_table = LogTable::kChunks});
    const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", "a")};
    EXPECT_EQ(storage_->select(matchers, {}, {}).error().code, Code::kDataLoss);
    disk_.set_plan({});
    maintain();
    expect_told(0);
    EXPECT_EQ(count("a"), 500U);
}

TEST_F(StorageQuarantine, ADeletionAlsoTakesEventsWhoseChunkIsLost) {
    storage_->declare_kinds({{"e", model::MetricKind::kEvent}});
    append("e", 0, 500);
    checkpoint();
    disk_.turn_bit(LogTable::kChunks, disk_.copy_of(LogTable::kChunks).begin()->first, 1000);
    const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", "e")};
    EXPECT_FALSE(storage_->select(matchers, {}, {}).has_value());
    maintain();
    EXPECT_EQ(count("e"), 500U);
    ASSERT_TRUE(storage_->delete_series(matchers, {time_of(100), time_of(199)}).has_value());
    EXPECT_EQ(count("e"), 400U);
    reopen();
    EXPECT_EQ(count("e"), 400U);
}

}  // namespace
}  // namespace kpid::storage
