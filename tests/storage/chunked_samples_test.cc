// Samples of one series in chunks, against a map that holds the same.

#include "storage/chunked_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace kpid::storage {
namespace {

using ::testing::ElementsAre;

Timestamp at(std::int64_t seconds) {
    return Timestamp(seconds * 1000);
}

std::vector<model::Sample> steps(std::int64_t from, std::size_t count) {
    std::vector<model::Sample> samples;
    for (std::size_t i = 0; i < count; ++i) {
        const auto second = from + static_cast<std::int64_t>(i);
        samples.push_back({at(second), static_cast<double>(second % 7)});
    }
    return samples;
}

model::SeriesColumns read(const ChunkedSamples& samples, model::TimeRange range = {}) {
    model::SeriesColumns out;
    EXPECT_TRUE(samples.copy(range, std::numeric_limits<std::size_t>::max(), out));
    return out;
}

TEST(ChunkedSamples, GivesBackWhatWasPutInOverManyChunks) {
    ChunkedSamples samples;
    EXPECT_EQ(samples.merge(steps(0, 5000)), 5000U);
    const model::SeriesColumns out = read(samples);
    ASSERT_EQ(out.times.size(), 5000U);
    EXPECT_EQ(out.times.front(), at(0));
    EXPECT_EQ(out.times.back(), at(4999));
    EXPECT_EQ(out.values[4321], 4321 % 7);
    EXPECT_LT(samples.heap_bytes(), 5000U * 2);
}

TEST(ChunkedSamples, ReadsNoMoreThanTheLimit) {
    ChunkedSamples samples;
    samples.merge(steps(0, 2000));
    model::SeriesColumns out;
    EXPECT_FALSE(samples.copy({at(100), at(199)}, 99, out));
    EXPECT_TRUE(out.times.empty());
    EXPECT_TRUE(samples.copy({at(100), at(199)}, 100, out));
    EXPECT_EQ(out.times.size(), 100U);
}

TEST(ChunkedSamples, LateSamplesTakeTheirPlaceAndTheirInstantsNewValue) {
    ChunkedSamples samples;
    samples.merge(steps(0, 2000));
    const std::vector<model::Sample> late{{Timestamp(500), 50}, {at(700), 70}, {at(1999), 90}};
    EXPECT_EQ(samples.merge(late), 1U);
    EXPECT_THAT(read(samples, {at(0), at(1)}).values, ElementsAre(0, 50, 1));
    EXPECT_EQ(samples.value_at(at(700)), 70);
    EXPECT_EQ(samples.value_at(at(1999)), 90);
    EXPECT_EQ(samples.value_at(at(701)), 701 % 7);
    EXPECT_EQ(samples.value_at(Timestamp(501)), std::nullopt);
}

TEST(ChunkedSamples, WhatIsTooOldIsNotReadAny) {
    ChunkedSamples samples;
    samples.merge(steps(0, 1000));
    const std::size_t dropped = samples.drop_before(at(10));
    EXPECT_LE(dropped, 10U);
    EXPECT_EQ(read(samples).times.front(), at(10));
    EXPECT_EQ(samples.value_at(at(9)), std::nullopt);
    EXPECT_FALSE(samples.has_samples_in({at(0), at(9)}));
    EXPECT_EQ(dropped + samples.drop_before(at(1000)), 1000U);
    EXPECT_TRUE(samples.empty());
}

TEST(ChunkedSamples, KeepsEveryBit) {
    ChunkedSamples samples;
    const std::vector<std::uint64_t> bits{0x7ff0000000000002, 0x7ff8000000000001,
                                          0x8000000000000000, 1, 0xfff4deadbeef0001};
    std::vector<model::Sample> in;
    for (std::size_t i = 0; i < 1000; ++i) {
        in.push_back(
            {at(static_cast<std::int64_t>(i)), std::bit_cast<double>(bits[i % bits.size()])});
    }
    samples.merge(in);
    const model::SeriesColumns out = read(samples);
    for (std::size_t i = 0; i < in.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(out.values[i]), bits[i % bits.size()]) << i;
    }
}

// Drives samples and a map with the same random operations.
class Model {
public:
    explicit Model(std::uint32_t seed) : random_(seed) {}

    void step() {
        const auto choice = random_() % 100;
        if (choice < 70) {
            append();
        } else if (choice < 95) {
            append_late();
        } else {
            drop();
        }
        compare();
    }

private:
    void put(std::map<Timestamp, double> batch) {
        std::vector<model::Sample> in;
        for (const auto& [time, value] : batch) {
            in.push_back({time, value});
        }
        std::size_t fresh = 0;
        for (const auto& [time, value] : batch) {
            fresh += kept_.insert_or_assign(time, value).second ? 1U : 0U;
        }
        ASSERT_EQ(samples_.merge(in), fresh);
    }

    void append() {
        std::map<Timestamp, double> batch;
        for (auto i = random_() % 200; i > 0; --i) {
            newest_ += 1 + static_cast<std::int64_t>(random_() % 2000);
            batch[Timestamp(newest_)] = static_cast<double>(random_() % 50);
        }
        put(std::move(batch));
    }

    void append_late() {
        std::map<Timestamp, double> batch;
        const std::int64_t reach = std::min<std::int64_t>(newest_ - floor_ + 1, 2'000'000);
        for (auto i = random_() % 20; i > 0; --i) {
            const auto back =
                static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(reach));
            batch[Timestamp(newest_ - back)] = static_cast<double>(random_() % 50) / 10;
        }
        put(std::move(batch));
    }

    void drop() {
        floor_ += static_cast<std::int64_t>(random_() %
                                            static_cast<std::uint64_t>(newest_ - floor_ + 1)) /
                  2;
        static_cast<void>(samples_.drop_before(Timestamp(floor_)));
        kept_.erase(kept_.begin(), kept_.lower_bound(Timestamp(floor_)));
    }

    void compare() {
        const auto offset = [this] {
            return static_cast<std::int64_t>(random_() %
                                             static_cast<std::uint64_t>(newest_ + 1000));
        };
        Timestamp start(offset());
        Timestamp end(offset());
        if (end < start) {
            std::swap(start, end);
        }
        const model::SeriesColumns out = read(samples_, {start, end});
        std::size_t i = 0;
        for (auto want = kept_.lower_bound(start); want != kept_.end() && want->first <= end;
             ++want, ++i) {
            ASSERT_LT(i, out.times.size());
            ASSERT_EQ(out.times[i], want->first);
            ASSERT_EQ(out.values[i], want->second);
        }
        ASSERT_EQ(i, out.times.size());
        ASSERT_EQ(samples_.has_samples_in({start, end}), i > 0);
        const auto there = kept_.find(start);
        ASSERT_EQ(samples_.value_at(start),
                  there == kept_.end() ? std::nullopt : std::optional(there->second));
    }

    std::mt19937_64 random_;
    ChunkedSamples samples_;
    std::map<Timestamp, double> kept_;
    std::int64_t newest_ = 0;
    std::int64_t floor_ = 0;
};

TEST(ChunkedSamples, ReadAsAMapThatGotTheSame) {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        Model model(seed);
        for (int i = 0; i < 300 && !::testing::Test::HasFatalFailure(); ++i) {
            model.step();
        }
    }
}

}  // namespace
}  // namespace kpid::storage
