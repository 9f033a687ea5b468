// A year of appends, late samples, deletions, retention, failures and restarts, against a plain
// model.

#include "storage/storage_simulation.h"

#include "support/effort.h"
#include "support/temporary_folder.h"

#include <gtest/gtest.h>

namespace kpid::storage {
namespace {

// Each seed is another store with other limits.
constexpr std::uint64_t kSteps = 500;

void add(StorageSimulation::Tally& sum, const StorageSimulation::Tally& one) {
    sum.accepted += one.accepted;
    sum.rejected += one.rejected;
    sum.failed += one.failed;
    sum.reopened += one.reopened;
    sum.deleted += one.deleted;
    sum.logged += one.logged;
    sum.evicted += one.evicted;
    sum.removed_series += one.removed_series;
}

TEST(StorageSimulation, AnswersAsThePlainModelOnADiskThatFails) {
    const testing::TemporaryFolder folder;
    StorageSimulation::Tally sum;
    const std::uint64_t first = testing::first_seed();
    for (std::uint64_t seed = first; seed < first + testing::effort(19, 1950); ++seed) {
        testing::FaultyDisk disk;
        StorageSimulation simulation({.seed = seed, .path = folder.file("disk"), .disk = &disk});
        ASSERT_TRUE(simulation.run(kSteps)) << "seed " << seed;
        add(sum, simulation.tally());
    }
    // It has seen what it is there for.
    EXPECT_GT(sum.accepted, 100'000U);
    EXPECT_GT(sum.rejected, 1000U);
    EXPECT_GT(sum.failed, 10U);
    EXPECT_GT(sum.reopened, 100U);
    EXPECT_GT(sum.deleted, 50U);
    EXPECT_GT(sum.logged, 50'000U);
    EXPECT_GT(sum.evicted, 10'000U);
}

TEST(StorageSimulation, AnswersAsThePlainModelOnARealDisk) {
    const std::uint64_t first = testing::first_seed();
    for (std::uint64_t seed = first; seed < first + testing::effort(1, 50); ++seed) {
        const testing::TemporaryFolder folder;
        StorageSimulation simulation({.seed = 1000 + seed, .path = folder.file("data")});
        ASSERT_TRUE(simulation.run(kSteps)) << "seed " << 1000 + seed;
    }
}

}  // namespace
}  // namespace kpid::storage
