// Random batches against the simplest storage there is, with reopening in between.

#include "storage/storage_fixture.h"
#include "support/memory_storage.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

namespace kpid::storage {
namespace {

class StorageProperty : public StorageTest {
protected:
    // Few series, few instants and few values, so that everything collides.
    std::vector<model::SeriesSample> random_batch(std::mt19937_64& random) {
        std::vector<model::SeriesSample> samples;
        const auto pick = [&random](std::uint64_t count) { return random() % count; };
        const std::uint64_t count = pick(30);
        for (std::uint64_t i = 0; i < count; ++i) {
            const model::Labels labels{{model::kMetricName, fmt::format("m{}", pick(3))},
                                       {"job", fmt::format("{}", pick(4))},
                                       {"zone", pick(2) == 0 ? "" : "z"}};
            const double value =
                pick(8) == 0 ? model::stale_marker() : static_cast<double>(pick(2));
            samples.push_back({labels, kNow - Duration(pick(50)), value});
        }
        return samples;
    }
};

TEST_F(StorageProperty, AnswersAsTheModelDoes) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        std::mt19937_64 random(seed);
        storage_.reset();
        std::filesystem::remove_all(options_.path);
        reopen();
        testing::MemoryStorage wanted;
        for (int step = 0; step < 40; ++step) {
            const auto samples = random_batch(random);
            std::vector<model::StateWrite> state;
            for (std::uint64_t i = random() % 3; i > 0; --i) {
                state.push_back({fmt::format("k/{}", random() % 5), std::nullopt});
                if (random() % 3 != 0) {
                    state.back().value = fmt::format("{}", random() % 100);
                }
            }
            const model::AppendBatch batch{.samples = samples, .state = state, .now = kNow};
            const auto got = storage_->append(batch);
            const auto want = wanted.append(batch);
            ASSERT_TRUE(got.has_value());
            ASSERT_EQ(got->accepted, want->accepted);
            ASSERT_EQ(got->rejected.size(), want->rejected.size());
            for (std::size_t i = 0; i < got->rejected.size(); ++i) {
                ASSERT_EQ(got->rejected[i].index, want->rejected[i].index);
            }
            if (random() % 10 == 0) {
                reopen();
            }
            const auto job = model::Matcher::make(model::MatchType::kRegexp, "job", "[12]");
            const std::vector<model::Matcher> matchers{*job,
                                                       model::Matcher::equal("__name__", "m1")};
            ASSERT_EQ(read(), read_all(wanted));
            ASSERT_EQ(read(matchers), read_all(wanted, matchers));
            ASSERT_EQ(*storage_->scan("k/", 10), *wanted.scan("k/", 10));
            ASSERT_EQ(*storage_->label_values("zone", matchers, {}),
                      *wanted.label_values("zone", matchers, {}));
        }
    }
}

}  // namespace
}  // namespace kpid::storage
