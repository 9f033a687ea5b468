// Appends, reads, deletions, retention, eviction and snapshots at once; ThreadSanitizer runs it.

#include "storage/storage_fixture.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace kpid::storage {
namespace {

using model::Matcher;

// Label bytes are the metric's name.
class NameReader final : public model::LabelReader {
public:
    [[nodiscard]] Result<void> read(std::string_view bytes,
                                    std::vector<model::LabelView>& labels) const override {
        labels.assign(1, {model::kMetricName, bytes});
        return {};
    }
};

class StorageUpkeep : public StorageTest {
protected:
    static constexpr int kRounds = 1000;
    static constexpr Duration kStep = std::chrono::minutes(1);

    [[nodiscard]] static Timestamp at(int round) { return kNow + round * kStep; }

    // Numbers that follow each other, one a round.
    void append_raw(std::atomic<int>& acknowledged) {
        const NameReader reader;
        for (int i = 0; i < kRounds; ++i) {
            const std::vector<model::Sample> samples{{at(i), static_cast<double>(i)}};
            const std::vector<model::RawSeries> raw{{"kept", samples}, {"deleted", samples}};
            const auto result =
                storage_->append({.raw = raw, .label_reader = &reader, .now = at(i)});
            ASSERT_TRUE(result.has_value() && result->rejected.empty());
            acknowledged = i + 1;
        }
    }
    void append_labelled() {
        for (int i = 0; i < kRounds; ++i) {
            EXPECT_TRUE(
                append({sample_of("other" + std::to_string(i % 7), at(i), i)}, at(i)).empty());
        }
    }
    void read_numbers(const std::atomic<int>& acknowledged) {
        const std::vector<Matcher> kept{Matcher::equal(model::kMetricName, "kept")};
        for (int seen = 0; seen < kRounds;) {
            seen = acknowledged;
            const auto found = storage_->select(kept, {}, {});
            ASSERT_TRUE(found.has_value()) << found.error().message;
            ASSERT_TRUE(seen == 0 || !found->empty());
            const std::size_t count = found->empty() ? 0 : found->at(0).values.size();
            ASSERT_GE(count, static_cast<std::size_t>(seen));
            for (std::size_t i = 0; i < count; ++i) {
                ASSERT_EQ(found->at(0).values[i], static_cast<double>(i));
            }
            EXPECT_TRUE(storage_->series({}, {}).has_value());
            EXPECT_TRUE(storage_->read_log(storage_->log_end() - 1, 10).has_value());
            EXPECT_GE(storage_->cardinality(3).series, 0U);
        }
    }
    // The same through a window that moves along, over all series.
    void read_window(const std::atomic<int>& acknowledged) {
        constexpr int kWidth = 40;
        const auto selection =
            storage_->keep({*Matcher::make(model::MatchType::kRegexp, "__name__", ".+")});
        for (int seen = 0; seen < kRounds;) {
            seen = acknowledged;
            bool is_there = seen == 0;
            const auto take = [&](const model::SeriesView& series) -> Result<void> {
                if (series.labels.metric_name() != "kept") {
                    return {};
                }
                is_there = true;
                EXPECT_GE(series.times.back(), at(seen - 1));
                for (std::size_t i = 0; i < series.times.size(); ++i) {
                    EXPECT_EQ(series.times[i], series.times.front() + kStep * i);
                    EXPECT_EQ(at(static_cast<int>(series.values[i])), series.times[i]);
                }
                return {};
            };
            ASSERT_TRUE(selection->visit({at(seen - kWidth), at(seen)}, {}, take).has_value());
            ASSERT_TRUE(is_there);
        }
    }
    void delete_and_maintain(const std::atomic<int>& acknowledged) {
        const std::vector<Matcher> deleted{Matcher::equal(model::kMetricName, "deleted")};
        for (int done = 0; done < kRounds;) {
            done = acknowledged;
            EXPECT_TRUE(storage_->delete_series(deleted, {kNow, at(done / 2)}).has_value());
            EXPECT_TRUE(storage_->checkpoint(at(done)).has_value());
            EXPECT_TRUE(storage_->maintain(at(done)).has_value());
        }
    }
};

TEST_F(StorageUpkeep, ReadersSeeWhatWasAcknowledgedWhateverElseGoesOn) {
    options_.sealed_bytes_in_memory_max = 0;
    reopen();
    ASSERT_TRUE(append({sample_of("old", kNow - std::chrono::hours(1), 1)}).empty());
    std::atomic<int> acknowledged = 0;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { append_raw(acknowledged); });
    threads.emplace_back([&] { append_labelled(); });
    threads.emplace_back([&] { read_numbers(acknowledged); });
    threads.emplace_back([&] { read_window(acknowledged); });
    threads.emplace_back([&] { delete_and_maintain(acknowledged); });
    threads.emplace_back([&] {
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(storage_->snapshot(kNow).has_value());
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    const Lines before = read();
    reopen();
    EXPECT_EQ(read(), before);
}

}  // namespace
}  // namespace kpid::storage
