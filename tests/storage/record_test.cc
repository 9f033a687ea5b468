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

std::string encode_samples(const std::vector<RecordSample>& samples,
                           RecordKind kind = RecordKind::kExternal) {
    SampleRecordWriter writer(kind, samples.size());
    for (const RecordSample& sample : samples) {
        writer.add(sample.series, sample.time, sample.value);
    }
    return writer.finish();
}

std::string encode_labels(const model::Labels& labels) {
    std::vector<model::LabelView> views;
    for (const model::Label& label : labels) {
        views.push_back({label.name, label.value});
    }
    return encode_definition(views);
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
    EXPECT_LT(encode_samples(samples).size(), 1000 * 10 + 20);
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
    const std::string definition = encode_labels({{"__name__", "up"}, {"job", "node"}});
    std::vector<model::LabelView> labels;
    for (std::size_t size = 0; size < definition.size(); ++size) {
        EXPECT_FALSE(
            decode_definition(std::string_view(definition).substr(0, size), labels).has_value());
    }
    EXPECT_FALSE(decode_definition(definition + "x", labels).has_value());
}

TEST(Record, RefusesANewerVersionAndImpossibleCounts) {
    const auto newer = decode_record(std::string("\x03\x00", 2));
    ASSERT_FALSE(newer.has_value());
    EXPECT_EQ(newer.error().code, Code::kUnsupported);
    EXPECT_FALSE(decode_record(std::string("\x00\x00", 2)).has_value());
    EXPECT_FALSE(decode_record("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").has_value());
    EXPECT_FALSE(decode_record("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f").has_value());
    std::vector<model::LabelView> labels;
    EXPECT_FALSE(decode_definition("\x01\xff\x7f", labels).has_value());
}

TEST(Record, GivesBackLabels) {
    const model::Labels labels{{"__name__", "up"},
                               {"job",
                                "n\xC3\xB6"
                                "de"},
                               {"empty", ""}};
    const std::string bytes = encode_labels(labels);
    std::vector<model::LabelView> decoded;
    ASSERT_TRUE(decode_definition(bytes, decoded).has_value());
    EXPECT_EQ(model::Labels::copy_of(decoded), labels);
}

TEST(Record, ReadsTheFirstVersion) {
    const std::string now =
        encode_samples({{SeriesId(300), Timestamp(5000), 1.5}}, RecordKind::kExternal);
    const std::string first = "\x01" + now.substr(2);
    const auto decoded = decode_record(first);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->samples.at(0).value, 1.5);
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
