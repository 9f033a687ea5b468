// Retention by size: the oldest go first, and what is older than is kept is refused.

#include "storage/storage_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <vector>

namespace kpid::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(StorageTest, KeepsNoMoreThanThereIsRoomFor) {
    constexpr int kDays = 40;
    constexpr int kPerDay = 2'000;
    options_.sealed_bytes_in_memory_max = 0;
    options_.retention_bytes = std::uint64_t{256} << 10U;
    reopen();
    std::mt19937_64 random(1);
    Timestamp now = kNow;
    for (int day = 0; day < kDays; ++day) {
        std::vector<model::SeriesSample> samples;
        for (int i = 0; i < kPerDay; ++i) {
            now = now + std::chrono::milliseconds(43'200);
            // Noise: about eight bytes a sample.
            samples.push_back(sample_of("a", now, static_cast<double>(random())));
        }
        ASSERT_THAT(append(samples, now), ElementsAre());
        ASSERT_TRUE(storage_->checkpoint(now).has_value());
        ASSERT_TRUE(storage_->maintain(now).has_value());
    }
    const StorageStats stats = storage_->stats();
    ASSERT_GT(stats.size_floor, kNow);
    ASSERT_LT(stats.size_floor, now);
    const auto kept = storage_->select({}, {}, {});
    ASSERT_TRUE(kept.has_value());
    EXPECT_GE(kept->at(0).times.front(), stats.size_floor);
    EXPECT_EQ(kept->at(0).times.back(), now);
    EXPECT_LT(kept->at(0).times.size(), std::size_t{kDays} * kPerDay / 2);
    const Lines refused = append({sample_of("b", stats.size_floor - Duration(1), 1)}, now);
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_THAT(refused[0], HasSubstr("too_old: "));
    EXPECT_THAT(refused[0], HasSubstr("retention_size"));
    const std::size_t count = kept->at(0).times.size();
    reopen();
    EXPECT_EQ(storage_->stats().size_floor, stats.size_floor);
    EXPECT_EQ(storage_->select({}, {}, {})->at(0).times.size(), count);
}

}  // namespace
}  // namespace kpid::storage
