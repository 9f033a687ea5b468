// The log that tests make fail: that it fails as told, and by seed.

#include "support/faulty_log.h"

#include "storage/log_fixture.h"

#include <gtest/gtest.h>

namespace kpid::storage {
namespace {

using testing::FaultPlan;
using testing::FaultyDisk;

class FaultyLog : public ::testing::Test {
protected:
    /// A word for each of 200 writes and reads: how it fared.
    static Entries run(const FaultPlan& plan) {
        FaultyDisk disk;
        disk.set_plan(plan);
        const auto log = *disk.opener()("unused");
        Entries words;
        for (std::size_t i = 0; i < 200; ++i) {
            const bool written =
                log->write(put_of(LogTable::kState, {{key_of(i % 7), "value"}}), true).has_value();
            const auto read = log->get(LogTable::kState, key_of(i % 7));
            words.push_back(written ? "written" : "failed");
            words.push_back(!read               ? std::string(to_string(read.error().code))
                            : !*read            ? "none"
                            : **read == "value" ? "value"
                                                : "flipped");
        }
        return words;
    }
    static std::size_t count(const Entries& words, const std::string& word) {
        return static_cast<std::size_t>(std::count(words.begin(), words.end(), word));
    }
};

TEST_F(FaultyLog, FailsBySeed) {
    const FaultPlan plan{.seed = 7,
                         .write_refused = 0.2,
                         .write_answer_lost = 0.2,
                         .read_unavailable = 0.1,
                         .read_damaged = 0.1,
                         .bit_flipped = 0.2};
    const Entries words = run(plan);
    EXPECT_EQ(words, run(plan));
    for (const char* word : {"written", "failed", "value", "flipped", "data_loss", "unavailable"}) {
        EXPECT_GT(count(words, word), 0U) << word;
    }
    FaultPlan other = plan;
    other.seed = 8;
    EXPECT_NE(words, run(other));
    EXPECT_EQ(count(run({}), "failed"), 0U);
}

TEST_F(FaultyLog, LosesWholeBatchesThatWereNotSyncedWhenThePowerIsCut) {
    bool lost_some = false;
    bool kept_some = false;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        FaultyDisk disk;
        disk.set_plan({.seed = seed, .forgets_unsynced = true});
        auto log = *disk.opener()("unused");
        for (std::size_t i = 0; i < 8; ++i) {
            const std::string key = key_of(i);
            ASSERT_TRUE(log->write(put_of(LogTable::kState, {{key, "1"}, {key + "b", "2"}}), i == 3)
                            .has_value());
        }
        log.reset();
        disk.power_cut();
        const Entries found = read_log(**disk.opener()("unused"), LogTable::kState);
        EXPECT_GE(found.size(), 8U);
        EXPECT_EQ(found.size() % 2, 0U);
        EXPECT_EQ(found.back(), key_of(found.size() / 2 - 1) + "b=2");
        lost_some = lost_some || found.size() < 16;
        kept_some = kept_some || found.size() > 8;
    }
    EXPECT_TRUE(lost_some);
    EXPECT_TRUE(kept_some);
}

TEST_F(FaultyLog, RunsOutOfSpaceAndHasSomeAgainAfterAnErasure) {
    FaultyDisk disk;
    disk.set_plan({.bytes_max = 1000});
    const auto log = *disk.opener()("unused");
    ASSERT_TRUE(log->write(put_of(LogTable::kState, {{"a", noise(900, 1)}}), false).has_value());
    EXPECT_FALSE(log->write(put_of(LogTable::kState, {{"b", noise(200, 2)}}), false).has_value());
    ASSERT_TRUE(log->write(erasure_of(LogTable::kState, "a", "b"), false).has_value());
    EXPECT_TRUE(log->write(put_of(LogTable::kState, {{"b", noise(200, 2)}}), false).has_value());
}

TEST_F(FaultyLog, RefusesADamagedEntryUntilItIsWrittenAgain) {
    FaultyDisk disk;
    const auto log = *disk.opener()("unused");
    ASSERT_TRUE(log->write(put_of(LogTable::kChunks, {{"a", "1"}, {"b", "2"}}), false).has_value());
    disk.damage(LogTable::kChunks, "b");
    EXPECT_EQ(try_read_log(*log, LogTable::kChunks).error().code, Code::kDataLoss);
    EXPECT_EQ(read_log(*log, LogTable::kChunks, "", "b"), (Entries{"a=1"}));
    ASSERT_TRUE(log->write(put_of(LogTable::kChunks, {{"b", "3"}}), false).has_value());
    EXPECT_EQ(read_log(*log, LogTable::kChunks), (Entries{"a=1", "b=3"}));
}

}  // namespace
}  // namespace kpid::storage
