// The bytes of the log.

#include "storage/record.h"

#include <gtest/gtest.h>

#include <limits>

namespace kpid::storage {
namespace {

TEST(Record, KeysKeepTheOrderOfNumbers) {
    const std::vector<std::uint64_t> numbers{
        0, 1, 255, 256, 1ULL << 40, std::numeric_limits<std::uint64_t>::max()};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        EXPECT_EQ(*decode_key(encode_key(numbers[i])), numbers[i]);
        if (i > 0) {
            EXPECT_LT(encode_key(numbers[i - 1]), encode_key(numbers[i]));
        }
    }
    EXPECT_FALSE(decode_key("1234567").has_value());
}

TEST(Record, GivesBackEverySampleBitForBit) {
    const std::vector<RecordSample> samples{
        {SeriesId(1), Timestamp(1'800'000'000'000), 0.1},
        {SeriesId(std::numeric_limits<std::uint64_t>::max()), Timestamp::min(), -0.0},
        {SeriesId(0), Timestamp::max(), model::stale_marker()},
        {SeriesId(7), Timestamp(-1), std::numeric_limits<double>::infinity()},
    };
    const auto decoded = decode_samples(encode_samples(samples));
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(decoded->size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        EXPECT_EQ((*decoded)[i].series, samples[i].series);
        EXPECT_EQ((*decoded)[i].time, samples[i].time);
        EXPECT_EQ(std::bit_cast<std::uint64_t>((*decoded)[i].value),
                  std::bit_cast<std::uint64_t>(samples[i].value));
    }
    EXPECT_TRUE(decode_samples(encode_samples({}))->empty());
}

TEST(Record, NeighboursAreSmall) {
    std::vector<RecordSample> samples;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        samples.push_back({SeriesId(i), Timestamp(1'800'000'000'000), 1.0});
    }
    EXPECT_LT(encode_samples(samples).size(), 1000 * 10 + 20);
}

TEST(Record, RefusesEveryCutAndEveryTail) {
    const std::string whole =
        encode_samples(std::vector<RecordSample>{{SeriesId(300), Timestamp(5000), 1.5}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = decode_samples(std::string_view(whole).substr(0, size));
        ASSERT_FALSE(cut.has_value()) << size;
        EXPECT_EQ(cut.error().code, Code::kDataLoss);
    }
    EXPECT_FALSE(decode_samples(whole + "x").has_value());
    const std::string definition = encode_definition({{"__name__", "up"}, {"job", "node"}});
    for (std::size_t size = 0; size < definition.size(); ++size) {
        EXPECT_FALSE(decode_definition(std::string_view(definition).substr(0, size)).has_value());
    }
    EXPECT_FALSE(decode_definition(definition + "x").has_value());
}

TEST(Record, RefusesANewerVersionAndImpossibleCounts) {
    const auto newer = decode_samples(std::string("\x02\x00", 2));
    ASSERT_FALSE(newer.has_value());
    EXPECT_EQ(newer.error().code, Code::kUnsupported);
    EXPECT_FALSE(decode_samples(std::string("\x00\x00", 2)).has_value());
    EXPECT_FALSE(decode_samples("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").has_value());
    EXPECT_FALSE(decode_samples("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f").has_value());
    EXPECT_FALSE(decode_definition("\x01\xff\x7f").has_value());
}

TEST(Record, GivesBackLabels) {
    const model::Labels labels{{"__name__", "up"},
                               {"job",
                                "n\xC3\xB6"
                                "de"},
                               {"empty", ""}};
    const auto decoded = decode_definition(encode_definition(labels));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, labels);
}

}  // namespace
}  // namespace kpid::storage
