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

SampleColumns read(const ChunkedSamples& samples, model::TimeRange range = {}) {
    const ChunkedSamples::InMemory found = samples.read(range);
    SampleColumns out;
    for (std::size_t i = 0; i < found.columns.times.size(); ++i) {
        if (found.columns.times[i] >= range.start && found.columns.times[i] <= range.end) {
            out.times.push_back(found.columns.times[i]);
            out.values.push_back(found.columns.values[i]);
        }
    }
    return out;
}

// What the committer does: late samples are merged, others appended. Returns how many instants are
// new.
std::size_t merge(ChunkedSamples& samples, const std::vector<model::Sample>& in) {
    const std::optional<Timestamp> newest = samples.newest();
    const auto late = std::partition_point(
        in.begin(), in.end(),
        [&newest](const model::Sample& sample) { return newest && sample.time <= *newest; });
    std::size_t added = 0;
    if (late != in.begin()) {
        added = samples.merge_late({in.begin(), late});
    }
    for (auto sample = late; sample != in.end(); ++sample) {
        samples.append(sample->time, sample->value);
        ++added;
    }
    return added;
}

TEST(ChunkedSamples, GivesBackWhatWasPutInOverManyChunks) {
    ChunkedSamples samples;
    EXPECT_EQ(merge(samples, steps(0, 5000)), 5000U);
    const SampleColumns out = read(samples);
    ASSERT_EQ(out.times.size(), 5000U);
    EXPECT_EQ(out.times.front(), at(0));
    EXPECT_EQ(out.times.back(), at(4999));
    EXPECT_EQ(out.values[4321], 4321 % 7);
    EXPECT_LT(samples.heap_bytes(), 5000U * 2);
}

TEST(ChunkedSamples, LateSamplesTakeTheirPlaceAndTheirInstantsNewValue) {
    ChunkedSamples samples;
    merge(samples, steps(0, 2000));
    const std::vector<model::Sample> late{{Timestamp(500), 50}, {at(700), 70}, {at(1999), 90}};
    EXPECT_EQ(merge(samples, late), 1U);
    EXPECT_THAT(read(samples, {at(0), at(1)}).values, ElementsAre(0, 50, 1));
    EXPECT_EQ(samples.value_at(at(700)), 70);
    EXPECT_EQ(samples.value_at(at(1999)), 90);
    EXPECT_EQ(samples.value_at(at(701)), 701 % 7);
    EXPECT_EQ(samples.value_at(Timestamp(501)), std::nullopt);
}

TEST(ChunkedSamples, DropsWholeChunksOnly) {
    ChunkedSamples samples;
    merge(samples, steps(0, 1000));
    EXPECT_EQ(samples.drop_before(at(10)), 0U);
    EXPECT_EQ(samples.drop_before(at(480)), 480U);
    EXPECT_EQ(read(samples).times.front(), at(480));
    EXPECT_FALSE(samples.may_have_samples_in({at(0), at(479)}));
}

TEST(ChunkedSamples, ErasesARangeAndNothingElse) {
    ChunkedSamples samples;
    merge(samples, steps(0, 1500));
    EXPECT_EQ(samples.erase({at(400), at(1100)}), 701U);
    const SampleColumns out = read(samples);
    ASSERT_EQ(out.times.size(), 799U);
    EXPECT_EQ(out.times[399], at(399));
    EXPECT_EQ(out.times[400], at(1101));
    EXPECT_EQ(samples.erase({}), 799U);
    EXPECT_TRUE(samples.empty());
}

TEST(ChunkedSamples, AnEvictedChunkComesBackForALateSample) {
    ChunkedSamples samples;
    merge(samples, steps(0, 1000));
    ASSERT_EQ(samples.sealed_in_memory(), 2U);
    const std::string first(samples.sealed()[0].text());
    EXPECT_EQ(samples.evict(), 0U);  // Nothing is saved.
    samples.note_saved();
    EXPECT_GT(samples.evict(), 0U);
    EXPECT_EQ(samples.sealed_in_memory(), 0U);
    EXPECT_TRUE(samples.read({at(0), at(10)}).needs_disk);
    EXPECT_FALSE(samples.read({at(960), at(990)}).needs_disk);
    EXPECT_TRUE(samples.needs_chunk(at(5)));
    EXPECT_FALSE(samples.needs_chunk(at(970)));
    samples.bring_in(first, at(0), at(479), 480);
    EXPECT_FALSE(samples.needs_chunk(at(5)));
    EXPECT_EQ(samples.value_at(at(5)), 5);
    EXPECT_EQ(samples.merge_late(std::vector<model::Sample>{{Timestamp(5500), 1}}), 1U);
    EXPECT_TRUE(samples.has_unsaved());
    EXPECT_EQ(samples.value_at(Timestamp(5500)), 1);
}

TEST(ChunkedSamples, AnOpenChunkIsSavedAndComesBack) {
    ChunkedSamples samples;
    merge(samples, steps(0, 700));
    const std::string open = samples.encode_open();
    ChunkedSamples again;
    ASSERT_TRUE(again.load_open(samples.begin(), samples.sealed_end(), open).has_value());
    EXPECT_FALSE(again.has_unsaved());
    EXPECT_EQ(again.newest(), at(699));
    EXPECT_EQ(again.begin(), at(0));
    EXPECT_TRUE(again.needs_chunk(at(3)));
    EXPECT_EQ(read(again, {at(480), at(800)}).times.size(), 220U);
    EXPECT_FALSE(again.load_open(at(0), at(600), open).has_value());
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
    merge(samples, in);
    const SampleColumns out = read(samples);
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
        ASSERT_EQ(merge(samples_, in), fresh);
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
        static_cast<void>(samples_.erase({Timestamp::min(), Timestamp(floor_ - 1)}));
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
        const SampleColumns out = read(samples_, {start, end});
        std::size_t i = 0;
        for (auto want = kept_.lower_bound(start); want != kept_.end() && want->first <= end;
             ++want, ++i) {
            ASSERT_LT(i, out.times.size());
            ASSERT_EQ(out.times[i], want->first);
            ASSERT_EQ(out.values[i], want->second);
        }
        ASSERT_EQ(i, out.times.size());
        ASSERT_TRUE(i == 0 || samples_.may_have_samples_in({start, end}));
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
