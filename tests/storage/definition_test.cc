// Definitions of series in blocks: what is written is read, and nothing damaged is.

#include "storage/definition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace kpid::storage {
namespace {

using Set = std::vector<std::pair<std::string, std::string>>;

std::vector<model::LabelView> views_of(const Set& labels) {
    std::vector<model::LabelView> views;
    for (const auto& [name, value] : labels) {
        views.push_back({name, value});
    }
    return views;
}

std::vector<DefinitionBytes> encode(const std::vector<Set>& sets, std::uint64_t first = 1) {
    DefinitionWriter writer;
    for (const Set& set : sets) {
        writer.add(SeriesId(first++), views_of(set));
    }
    return writer.finish();
}

std::vector<Set> decode(std::string_view bytes) {
    DefinitionBlock block;
    const Result<void> read = decode_definitions(bytes, block);
    EXPECT_TRUE(read.has_value());
    std::vector<Set> sets;
    for (std::size_t i = 0; i < block.size(); ++i) {
        Set& set = sets.emplace_back();
        for (const model::LabelView& label : block.labels(i)) {
            set.emplace_back(label.name, label.value);
        }
    }
    return sets;
}

std::vector<Set> random_sets(std::mt19937_64& random, std::size_t count) {
    const auto pick = [&random](std::uint64_t below) { return random() % below; };
    std::vector<Set> sets;
    for (std::size_t i = 0; i < count; ++i) {
        Set& set = sets.emplace_back();
        if (pick(8) == 0) {
            continue;  // There is no such series.
        }
        set.emplace_back("__name__", "m" + std::to_string(pick(3)));
        for (char name = 'a'; name < 'h'; ++name) {
            if (pick(3) != 0) {
                set.emplace_back(std::string(pick(2) * 130 + 1, name),
                                 std::string(pick(2) * 200 + 1, static_cast<char>('0' + pick(4))));
            }
        }
    }
    return sets;
}

TEST(Definition, GivesBackEverySetOfABlock) {
    std::mt19937_64 random(20'260'801);
    for (int round = 0; round < 300; ++round) {
        const std::vector<Set> sets = random_sets(random, 1 + random() % kDefinitionBlockMax);
        const auto blocks = encode(sets, 77);
        ASSERT_EQ(blocks.size(), 1U);
        EXPECT_EQ(blocks[0].first, SeriesId(77));
        EXPECT_EQ(decode(blocks[0].bytes), sets) << round;
    }
}

TEST(Definition, ABlockEndsAtItsLimitAndAtAGapOfNumbers) {
    DefinitionWriter writer;
    EXPECT_TRUE(writer.empty());
    const Set up{{"__name__", "up"}};
    for (std::uint64_t i = 0; i < kDefinitionBlockMax + 2; ++i) {
        writer.add(SeriesId(5 + i), views_of(up));
    }
    writer.add(SeriesId(100), views_of(up));
    const auto blocks = writer.finish();
    EXPECT_TRUE(writer.empty());
    ASSERT_EQ(blocks.size(), 3U);
    EXPECT_EQ(decode(blocks[0].bytes).size(), kDefinitionBlockMax);
    EXPECT_EQ(blocks[1].first, SeriesId(5 + kDefinitionBlockMax));
    EXPECT_EQ(decode(blocks[1].bytes), (std::vector<Set>{up, up}));
    EXPECT_EQ(blocks[2].first, SeriesId(100));
}

TEST(Definition, NeighboursAreSmall) {
    std::vector<Set> sets;
    for (int i = 0; i < 32; ++i) {
        sets.push_back({{"__name__", "http_requests_total"},
                        {"instance", "10.0.0." + std::to_string(i) + ":9100"},
                        {"job", "a_service_with_a_name"},
                        {"region", "eu-west-1"}});
    }
    EXPECT_LT(encode(sets)[0].bytes.size(), 32 * 22 + 100);
}

TEST(Definition, RefusesEveryCutAndEveryTail) {
    const Set first{{"__name__", "up"}, {"job", "node"}};
    const Set second{{"__name__", "up"}, {"job", "other"}};
    const std::string whole = encode({first, {}, second})[0].bytes;
    DefinitionBlock block;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = decode_definitions(std::string_view(whole).substr(0, size), block);
        ASSERT_FALSE(cut.has_value()) << size;
        EXPECT_EQ(cut.error().code, Code::kDataLoss);
    }
    EXPECT_FALSE(decode_definitions(whole + "x", block).has_value());
}

TEST(Definition, RefusesWhatNoWriterWrites) {
    using std::string_literals::operator""s;
    const std::vector<std::string> damaged{
        "\x00\x01\x00"s,                              // version 0
        "\x02\x00"s,                                  // no series
        "\x02\x21"s + std::string(33, '\0'),          // too many
        "\x02\x01\xff\x7f"s,                          // more labels than bytes
        "\x02\x01\x01\x01"s,                          // a label of no set before
        "\x02\x01\x01\x00\x00\x01v"s,                 // no name
        "\x02\x01\x01\x00\x01n\x00"s,                 // no value
        "\x02\x01\x02\x00\x01n\x01v\x00\x01n\x01v"s,  // the same name twice
        "\x02\x02\x01\x00\x01n\x01v\x01\x03"s,        // a label that the set before has not
        "\x01\xff\x7f"s,                              // the first version likewise
    };
    DefinitionBlock block;
    for (const std::string& bytes : damaged) {
        const auto read = decode_definitions(bytes, block);
        ASSERT_FALSE(read.has_value());
        EXPECT_EQ(read.error().code, Code::kDataLoss);
    }
    EXPECT_EQ(decode_definitions("\x03", block).error().code, Code::kUnsupported);
}

TEST(Definition, ReadsTheFirstVersion) {
    EXPECT_EQ(decode("\x01\x02\x08__name__\x02up\x03job\x04node"),
              (std::vector<Set>{{{"__name__", "up"}, {"job", "node"}}}));
}

}  // namespace
}  // namespace kpid::storage
