// Several appenders, readers and the upkeep at once.

#include "storage/storage_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace kpid::storage {
namespace {

class StorageConcurrency : public StorageTest {};

TEST_F(StorageConcurrency, ReadsEveryAcknowledgedSampleWhileOthersAppend) {
    constexpr int kAppenders = 4;
    constexpr int kBatches = 150;
    std::atomic<int> running = kAppenders;
    std::vector<std::thread> threads;
    for (int appender = 0; appender < kAppenders; ++appender) {
        threads.emplace_back([this, appender, &running] {
            const std::string name = fmt::format("own{}", appender);
            const std::vector<model::Matcher> own{model::Matcher::equal("__name__", name)};
            for (int i = 0; i < kBatches; ++i) {
                const Timestamp time = kNow + Duration(i);
                // One series of its own, one that all share with equal values, one new each time.
                const auto result =
                    append_to(*storage_,
                              {sample_of(name, time, i), sample_of("shared", time, i),
                               sample_of(fmt::format("{}_{}", name, i % 20), time, i)},
                              {{"k/" + name, std::to_string(i)}});
                ASSERT_TRUE(result.has_value());
                ASSERT_EQ(result->accepted, 3U);
                const auto selected = storage_->select(own, {}, {.samples_max = kBatches});
                ASSERT_TRUE(selected.has_value());
                ASSERT_EQ(selected->at(0).times.size(), static_cast<std::size_t>(i) + 1);
                ASSERT_EQ(*storage_->get("k/" + name), std::to_string(i));
            }
            --running;
        });
    }
    for (int reader = 0; reader < 2; ++reader) {
        threads.emplace_back([this, &running] {
            std::size_t seen = 0;
            while (running > 0) {
                const auto selected = storage_->select({}, {}, {});
                ASSERT_TRUE(selected.has_value());
                std::size_t count = 0;
                for (const model::SeriesColumns& columns : *selected) {
                    count += columns.times.size();
                }
                ASSERT_GE(count, seen);
                seen = count;
                ASSERT_TRUE(storage_->label_values("__name__", {}, {}).has_value());
                ASSERT_GE(storage_->stats().samples_appended_total, 0U);
            }
        });
    }
    threads.emplace_back([this, &running] {
        while (running > 0) {
            ASSERT_TRUE(storage_->maintain(kNow).has_value());
            ASSERT_TRUE(storage_->health().has_value());
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(storage_->stats().samples_in_memory,
              static_cast<std::uint64_t>(2 * kAppenders * kBatches + kBatches));
    const Lines before = read();
    reopen();
    EXPECT_EQ(read(), before);
}

TEST_F(StorageConcurrency, AcceptsOneOfSeveralValuesForOneInstant) {
    constexpr int kAppenders = 4;
    constexpr int kInstants = 100;
    std::atomic<std::size_t> accepted = 0;
    std::vector<std::thread> threads;
    for (int appender = 0; appender < kAppenders; ++appender) {
        threads.emplace_back([this, appender, &accepted] {
            for (int i = 0; i < kInstants; ++i) {
                const auto result =
                    append_to(*storage_, {sample_of("a", kNow + Duration(i), appender)});
                ASSERT_TRUE(result.has_value());
                accepted += result->accepted;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(accepted, static_cast<std::size_t>(kInstants));
    EXPECT_EQ(read().size(), static_cast<std::size_t>(kInstants));
}

TEST_F(StorageConcurrency, ForgetsSeriesWhileTheyComeBack) {
    options_.retention = std::chrono::minutes(1);
    options_.out_of_order_window = Duration(0);
    reopen();
    std::atomic<bool> stop = false;
    std::atomic<std::int64_t> now = kNow.ms();
    std::thread upkeep([this, &stop, &now] {
        while (!stop) {
            ASSERT_TRUE(storage_->maintain(Timestamp(now)).has_value());
        }
    });
    // A series that is gone leaves its place to the next one.
    std::thread reader([this, &stop] {
        const auto selection = storage_->keep({model::Matcher::equal("__name__", "a")});
        const auto take = [](const model::SeriesView& series) -> Result<void> {
            EXPECT_EQ(series.labels.metric_name(), "a");
            EXPECT_TRUE(std::is_sorted(series.times.begin(), series.times.end()));
            return {};
        };
        while (!stop) {
            ASSERT_TRUE(selection->visit({}, {}, take).has_value());
        }
    });
    for (int i = 0; i < 200; ++i) {
        now += std::chrono::milliseconds(std::chrono::minutes(2)).count();
        const Timestamp time(now);
        const auto result = append_to(*storage_, {sample_of("a", time, i)}, {}, time);
        ASSERT_TRUE(result.has_value());
        ASSERT_EQ(result->accepted, 1U);
        ASSERT_EQ(read_all(*storage_, {}, {time, time}).size(), 1U);
    }
    stop = true;
    upkeep.join();
    reader.join();
    ASSERT_TRUE(storage_->maintain(Timestamp(now)).has_value());
    const Lines before = read();
    EXPECT_EQ(before.size(), 1U);
    reopen();
    ASSERT_TRUE(storage_->maintain(Timestamp(now)).has_value());
    EXPECT_EQ(read(), before);
}

}  // namespace
}  // namespace kpid::storage
