// Columns of whole numbers, and the entropy coder below them.

#include "storage/integer_column.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace kpid::storage {
namespace {

using Numbers = std::vector<std::int64_t>;

std::string encode(const Numbers& numbers) {
    std::string bytes;
    IntegerEncoder(numbers, true).append_to(bytes);
    return bytes;
}

void expect_round_trip(const Numbers& numbers, std::size_t block = 100) {
    const std::string bytes = encode(numbers);
    ChunkReader reader(bytes);
    IntegerDecoder decoder;
    ASSERT_TRUE(decoder.open(reader, numbers.size()).has_value());
    Numbers read(numbers.size());
    for (std::size_t done = 0; done < read.size(); done += block) {
        decoder.read(std::span(read).subspan(done, std::min(block, read.size() - done)));
    }
    EXPECT_TRUE(decoder.finished());
    EXPECT_EQ(read, numbers);
}

TEST(IntegerClasses, CoverAllNumbersOnceAndInOrder) {
    for (unsigned granularity = 0; granularity <= kGranularityMax; ++granularity) {
        SCOPED_TRACE(granularity);
        std::uint64_t next = 0;
        for (unsigned index = 0; index < class_end(granularity); ++index) {
            ASSERT_EQ(class_first(index, granularity), next) << index;
            ASSERT_EQ(class_of(next, granularity), index);
            const std::uint64_t last =
                next + ((std::uint64_t{1} << class_bits(index, granularity)) - 1);
            ASSERT_EQ(class_of(last, granularity), index);
            if (granularity > 0) {
                ASSERT_EQ(coarser_class(index, granularity - 1), class_of(next, granularity - 1));
            }
            next = last + 1;
        }
        EXPECT_EQ(next, 0U) << "the last class ends with the greatest number";
    }
}

TEST(IntegerClasses, WeightsShareTheWhole) {
    std::mt19937_64 random(31);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::uint8_t> weights(random() % kClassesMax + 1);
        for (std::uint8_t& weight : weights) {
            weight = static_cast<std::uint8_t>(random() % 16);
        }
        weights.front() = 1;
        std::vector<Frequency> frequencies(weights.size());
        assign_frequencies(weights, frequencies);
        std::uint32_t sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            EXPECT_EQ(frequencies[i].start, sum);
            EXPECT_EQ(frequencies[i].width > 0, weights[i] > 0);
            sum += frequencies[i].width;
        }
        EXPECT_EQ(sum, kFrequencyTotal);
    }
}

TEST(EntropyCoder, GivesBackEverySymbolOfEveryRadix) {
    std::mt19937_64 random(32);
    for (const std::uint32_t radix :
         {1U, 2U, 3U, 5U, 7U, 50U, 64U, 255U, 641U, 4'096U, 32'767U, 65'521U, 65'535U, 65'536U}) {
        for (const std::size_t count : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 50U, 1'000U}) {
            SCOPED_TRACE(std::to_string(radix) + " " + std::to_string(count));
            std::vector<std::pair<std::uint32_t, std::uint64_t>> symbols(count);
            const unsigned bits = static_cast<unsigned>(random() % 65);
            for (auto& [symbol, low] : symbols) {
                symbol = static_cast<std::uint32_t>(random() % radix);
                low = bits == 0 ? 0 : random() >> (64 - bits);
            }
            EntropyEncoder encoder(radix);
            for (std::size_t i = count; i > 0; --i) {
                encoder.push_wide(symbols[i - 1].second, bits);
                encoder.push_uniform(symbols[i - 1].first);
            }
            std::string bytes;
            encoder.append_to(bytes);
            EntropyDecoder decoder(bytes, radix);
            for (const auto& [symbol, low] : symbols) {
                ASSERT_EQ(decoder.pop_uniform(), symbol);
                ASSERT_EQ(decoder.pop_wide(bits), low);
            }
            EXPECT_TRUE(decoder.finished());
        }
    }
}

TEST(EntropyCoder, TakesNoMoreThanSymbolsAreWorth) {
    std::mt19937_64 random(33);
    EntropyEncoder encoder(50);
    for (int i = 0; i < 1'000; ++i) {
        encoder.push_uniform(static_cast<std::uint32_t>(random() % 50));
    }
    std::string bytes;
    encoder.append_to(bytes);
    // 1,000 times log2(50) bits are 705.5 bytes.
    EXPECT_LE(bytes.size(), 707U);
}

TEST(IntegerColumn, GivesBackNumbersOfAllSizes) {
    std::mt19937_64 random(34);
    for (unsigned width = 1; width <= 64; ++width) {
        for (const std::size_t count : {1U, 2U, 3U, 4U, 100U, 333U}) {
            SCOPED_TRACE(std::to_string(width) + " " + std::to_string(count));
            Numbers numbers(count);
            Numbers sums(count);
            Numbers lines(count);
            Numbers rare(count);
            std::uint64_t sum = random();
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t number = random() >> (64 - width);
                sum += number;
                numbers[i] = static_cast<std::int64_t>(number);
                sums[i] = static_cast<std::int64_t>(sum);
                lines[i] = static_cast<std::int64_t>(i * 0xFFFF'FFFF'FFFFULL + number);
                rare[i] = static_cast<std::int64_t>(random() % 20 == 0 ? number : random() % 3);
            }
            expect_round_trip(numbers);
            expect_round_trip(sums);
            expect_round_trip(lines, 1);
            expect_round_trip(rare, 2);
        }
    }
}

TEST(IntegerColumn, GivesBackTheEndsOfAllNumbers) {
    constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    for (const Numbers& numbers : std::vector<Numbers>{
             {kMin},
             {kMax},
             {kMin, kMax},
             {kMax, kMin, kMax, kMin},
             {kMin, 0, kMax},
             {0, kMin, 0, kMax, -1, 1},
             {kMin, kMin, kMin, kMin + 2},
             {kMin, kMin + 8, kMax - 7, 0, 8},
         }) {
        expect_round_trip(numbers);
    }
}

TEST(IntegerColumn, FindsTheUnit) {
    std::mt19937_64 random(35);
    Numbers ones(500);
    Numbers thousands(500);
    for (std::size_t i = 0; i < ones.size(); ++i) {
        ones[i] = static_cast<std::int64_t>(random() % 7) - 3;
        thousands[i] = ones[i] * 1'000 + 17;
    }
    expect_round_trip(thousands);
    EXPECT_LE(encode(thousands).size(), encode(ones).size() + 4);
}

TEST(IntegerColumn, RefusesParametersWithoutSense) {
    struct Case {
        std::string name;
        std::string bytes;
    };
    using namespace std::string_literals;
    for (const Case& entry : {
             Case{"nothing", ""s},
             Case{"an unknown model", "\x03\x00\x00"s},
             Case{"too fine classes", "\xA1\x00\x00\x01\x01"s},
             Case{"no classes", "\x01\x00\x00\x00"s},
             Case{"classes without weights", "\x01\x00\x00\x02\x00"s},
             Case{"a weight for a class that is not there", "\x01\x00\x00\x01\x11"s},
             Case{"classes beyond the last", "\x01\x00\x3F\x03\x11\x01"s},
             Case{"more opening numbers than numbers", "\x08\x00\x00\x00\x00"s},
             Case{"a number above 64 bits", "\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"s},
         }) {
        SCOPED_TRACE(entry.name);
        ChunkReader reader(entry.bytes);
        IntegerDecoder decoder;
        const auto opened = decoder.open(reader, 2);
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, Code::kDataLoss);
    }
}

}  // namespace
}  // namespace kpid::storage
