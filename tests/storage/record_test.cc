// The bytes of the log.

#include "storage/record.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

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

std::string encode_samples(const std::vector<RecordSample>& samples,
                           RecordKind kind = RecordKind::kExternal) {
    SampleRecordWriter writer(kind, samples.size());
    for (const RecordSample& sample : samples) {
        writer.add(sample.series, sample.time, sample.value);
    }
    return writer.finish();
}

TEST(Record, GivesBackEverySampleBitForBit) {
    const std::vector<RecordSample> samples{
        {SeriesId(1), Timestamp(1'800'000'000'000), 0.1},
        {SeriesId(std::numeric_limits<std::uint64_t>::max()), Timestamp::min(), -0.0},
        {SeriesId(0), Timestamp::max(), model::stale_marker()},
        {SeriesId(7), Timestamp(-1), std::numeric_limits<double>::infinity()},
    };
    const auto decoded = decode_record(encode_samples(samples, RecordKind::kRecorded));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->kind, RecordKind::kRecorded);
    ASSERT_EQ(decoded->samples.size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        EXPECT_EQ(decoded->samples[i].series, samples[i].series);
        EXPECT_EQ(decoded->samples[i].time, samples[i].time);
        EXPECT_EQ(std::bit_cast<std::uint64_t>(decoded->samples[i].value),
                  std::bit_cast<std::uint64_t>(samples[i].value));
    }
    EXPECT_TRUE(decode_record(encode_samples({}))->samples.empty());
}

TEST(Record, NeighboursAreSmall) {
    std::vector<RecordSample> samples;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        samples.push_back({SeriesId(i), Timestamp(1'800'000'000'000), 1.0});
    }
    EXPECT_LT(encode_samples(samples).size(), 1000 * 2 + 20);
}

TEST(Record, RefusesEveryCutAndEveryTail) {
    const std::string whole =
        encode_samples(std::vector<RecordSample>{{SeriesId(300), Timestamp(5000), 1.5}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut = decode_record(std::string_view(whole).substr(0, size));
        ASSERT_FALSE(cut.has_value()) << size;
        EXPECT_EQ(cut.error().code, Code::kDataLoss);
    }
    EXPECT_FALSE(decode_record(whole + "x").has_value());
}

TEST(Record, RefusesANewerVersionAndImpossibleCounts) {
    const auto newer = decode_record(std::string("\x04\x00", 2));
    ASSERT_FALSE(newer.has_value());
    EXPECT_EQ(newer.error().code, Code::kUnsupported);
    EXPECT_FALSE(decode_record(std::string("\x00\x00", 2)).has_value());
    EXPECT_FALSE(decode_record("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").has_value());
    EXPECT_FALSE(decode_record("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f").has_value());
}

TEST(Record, GivesBackValuesOfEveryKind) {
    std::mt19937_64 random(20'260'802);
    for (int round = 0; round < 200; ++round) {
        std::vector<RecordSample> samples;
        std::int64_t time = 1'800'000'000'000;
        std::uint64_t series = random() % 1000;
        for (int i = 0; i < 100; ++i) {
            series = random() % 3 == 0 ? random() % 1000 : series + 1;
            time += random() % 4 == 0 ? static_cast<std::int64_t>(random() % 100'000) - 50'000 : 0;
            const auto whole = static_cast<double>(random() % 2'000'000) - 1'000'000;
            const std::array values{whole,
                                    whole / 10,
                                    whole / 1000,
                                    whole / 1e9,
                                    whole * 1e12,
                                    -0.0,
                                    std::bit_cast<double>(random()),
                                    model::stale_marker(),
                                    std::ldexp(1.0, 53) + 2};
            samples.push_back(
                {SeriesId(series), Timestamp(time), values[random() % values.size()]});
        }
        const auto decoded = decode_record(encode_samples(samples));
        ASSERT_TRUE(decoded.has_value());
        ASSERT_EQ(decoded->samples.size(), samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            EXPECT_EQ(decoded->samples[i].series, samples[i].series);
            EXPECT_EQ(decoded->samples[i].time, samples[i].time);
            EXPECT_EQ(std::bit_cast<std::uint64_t>(decoded->samples[i].value),
                      std::bit_cast<std::uint64_t>(samples[i].value));
        }
    }
}

TEST(Record, ReadsTheVersionsBefore) {
    // One sample: series 300, 5 s after 1970, 1.5.
    const std::string sample =
        std::string("\x01\xd8\x04\x90\x4e", 5) + std::string("\0\0\0\0\0\0\xf8\x3f", 8);
    for (const std::string& head : {std::string("\x01"), std::string("\x02\x00", 2)}) {
        const auto decoded = decode_record(head + sample);
        ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
        ASSERT_EQ(decoded->samples.size(), 1U);
        EXPECT_EQ(decoded->samples[0].series, SeriesId(300));
        EXPECT_EQ(decoded->samples[0].time, Timestamp(5000));
        EXPECT_EQ(decoded->samples[0].value, 1.5);
    }
}

TEST(Record, RefusesHeadsThatNoWriterWrites) {
    for (const char head : {'\x40', '\x80', '\x0a', '\x0e'}) {
        const std::string bytes = std::string("\x03\x00\x01", 3) + head + std::string(12, '\0');
        const auto decoded = decode_record(bytes);
        ASSERT_FALSE(decoded.has_value());
        EXPECT_EQ(decoded.error().code, Code::kDataLoss);
    }
}

TEST(Record, GivesBackADeletion) {
    const std::vector<SeriesId> series{SeriesId(7), SeriesId(3), SeriesId(900)};
    const auto decoded = decode_record(encode_deletion(series, {Timestamp(-5), Timestamp(9)}));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->kind, RecordKind::kDeletion);
    EXPECT_EQ(decoded->deleted_series, series);
    EXPECT_EQ(decoded->deleted_range.start, Timestamp(-5));
    EXPECT_EQ(decoded->deleted_range.end, Timestamp(9));
}

TEST(Record, GivesBackTheOtherEntries) {
    const auto open = decode_open_entry(encode_open_entry({.sequence = 12,
                                                           .begin = Timestamp(-1),
                                                           .sealed_end = Timestamp::min(),
                                                           .chunk = "chunk"}));
    ASSERT_TRUE(open.has_value());
    EXPECT_EQ(open->sequence, 12U);
    EXPECT_EQ(open->begin, Timestamp(-1));
    EXPECT_EQ(open->sealed_end, Timestamp::min());
    EXPECT_EQ(open->chunk.size(), 0U + 5U);
    const auto version =
        decode_version(encode_version_key(SeriesId(5), Timestamp(-7), 3),
                       encode_version({.is_event = true, .known = Timestamp(99), .value = -0.5}));
    ASSERT_TRUE(version.has_value());
    EXPECT_EQ(version->time, Timestamp(-7));
    EXPECT_EQ(version->order, 3U);
    EXPECT_TRUE(version->is_event);
    EXPECT_EQ(version->known, Timestamp(99));
    EXPECT_EQ(version->value, -0.5);
    StoreMeta meta{.next_series = 4, .next_sequence = 5, .first_unsaved = 2};
    meta.day_bytes = {{-1, 100}, {20'000, 1}};
    const auto again = decode_meta(encode_meta(meta));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->next_series, 4U);
    EXPECT_EQ(again->day_bytes, meta.day_bytes);
}

}  // namespace
}  // namespace kpid::storage
