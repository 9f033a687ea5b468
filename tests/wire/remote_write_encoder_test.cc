// Remote write bodies: what the decoder reads is what was written.

#include "kpid/wire/remote_write_encoder.h"

#include "kpid/wire/remote_write.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace kpid::wire {
namespace {

using model::Labels;
using model::SeriesSample;

constexpr std::size_t kAnySize = std::size_t{1} << 30U;

// By series: times and bits of values in order.
using Content = std::map<Labels, std::vector<std::pair<std::int64_t, std::uint64_t>>>;

Content content_of(std::span<const SeriesSample> samples) {
    Content content;
    for (const SeriesSample& sample : samples) {
        content[sample.labels].emplace_back(sample.time.ms(),
                                            std::bit_cast<std::uint64_t>(sample.value));
    }
    return content;
}

// What our own receiver makes of a body.
Content decoded(const RemoteWriteBody& body) {
    RemoteWriteDecoder decoder;
    const auto request = decoder.decode(body.packed, RemoteWriteVersion::kV1);
    EXPECT_TRUE(request.has_value());
    if (!request) {
        return {};
    }
    EXPECT_EQ(request->samples, body.count);
    const RemoteWriteSamples out = series_samples(*request);
    EXPECT_TRUE(out.refused.empty());
    return content_of(out.samples);
}

TEST(RemoteWriteEncoder, WritesASeriesOnceWithItsSamplesInOrder) {
    const Labels up{{"__name__", "up"}, {"job", "a"}};
    const Labels down{{"__name__", "down"}};
    const std::vector<SeriesSample> samples = {
        {up, Timestamp(1000), 1}, {down, Timestamp(0), 0}, {up, Timestamp(2000), 0}};
    const RemoteWriteBody body = encode_remote_write(samples, kAnySize);
    EXPECT_EQ(body.count, 3U);
    EXPECT_EQ(decoded(body), content_of(samples));
    RemoteWriteDecoder decoder;
    const auto request = decoder.decode(body.packed, RemoteWriteVersion::kV1);
    ASSERT_TRUE(request.has_value());
    ASSERT_EQ(request->series.size(), 2U);
    std::vector<LabelView> labels;
    ASSERT_TRUE(read_labels(request->series[0].label_bytes, labels).has_value());
    EXPECT_THAT(labels, ::testing::ElementsAre(LabelView{"__name__", "up"}, LabelView{"job", "a"}));
    EXPECT_EQ(body.packed, encode_remote_write(samples, kAnySize).packed);
}

TEST(RemoteWriteEncoder, KeepsEveryBitOfTimesAndValues) {
    std::vector<SeriesSample> samples;
    const Labels series{{"__name__", "x"}};
    for (const double value :
         {0.0, -0.0, model::stale_marker(), std::bit_cast<double>(model::kNormalNanBits),
          std::numeric_limits<double>::infinity(), std::numeric_limits<double>::denorm_min()}) {
        samples.push_back({series, Timestamp(static_cast<std::int64_t>(samples.size())), value});
    }
    samples.push_back({series, Timestamp::max(), 1});
    samples.push_back({series, Timestamp::min(), 1});
    EXPECT_EQ(decoded(encode_remote_write(samples, kAnySize)), content_of(samples));
}

TEST(RemoteWriteEncoder, CutsWhereTheBytesEnd) {
    std::vector<SeriesSample> samples;
    for (int i = 0; i < 1000; ++i) {
        samples.push_back({Labels{{"__name__", "x"}, {"i", std::to_string(i)}}, Timestamp(i), 1.5});
    }
    constexpr std::size_t kSmall = 4096;
    std::span<const SeriesSample> rest(samples);
    Content all;
    std::size_t bodies = 0;
    while (!rest.empty()) {
        const RemoteWriteBody body = encode_remote_write(rest, kSmall);
        ASSERT_GT(body.count, 0U);
        EXPECT_LE(body.plain_bytes, kSmall);
        all.merge(decoded(body));
        rest = rest.subspan(body.count);
        ++bodies;
    }
    EXPECT_GT(bodies, 5U);
    EXPECT_EQ(all, content_of(samples));
    // One sample is always taken, however long its labels are.
    EXPECT_EQ(encode_remote_write(samples, 1).count, 1U);
}

TEST(RemoteWriteEncoder, WritesMetadata) {
    const std::vector<model::MetricMetadata> families = {
        {.family = "a", .type = model::MetricType::kCounter, .help = "What is seen.", .unit = "s"},
        {.family = "b"},
        {.family = "c", .type = model::MetricType::kStateset}};
    const RemoteWriteBody body = encode_remote_write(families, kAnySize);
    EXPECT_EQ(body.count, 3U);
    RemoteWriteDecoder decoder;
    const auto request = decoder.decode(body.packed, RemoteWriteVersion::kV1);
    ASSERT_TRUE(request.has_value());
    ASSERT_EQ(request->metadata.size(), 3U);
    EXPECT_EQ(request->metadata[0].family, "a");
    EXPECT_EQ(request->metadata[0].type, model::MetricType::kCounter);
    EXPECT_EQ(request->metadata[0].help, "What is seen.");
    EXPECT_EQ(request->metadata[0].unit, "s");
    EXPECT_EQ(request->metadata[1].type, model::MetricType::kUnknown);
    EXPECT_EQ(request->metadata[2].type, model::MetricType::kStateset);
    EXPECT_EQ(encode_remote_write(families, 1).count, 1U);
}

TEST(RemoteWriteEncoder, RoundTripsWhateverIsStored) {
    constexpr std::uint64_t kSeed = 20261122;
    SCOPED_TRACE(kSeed);
    std::mt19937_64 random(kSeed);
    const auto any_text = [&random] {
        std::string text(1 + random() % 40, '\0');
        for (char& c : text) {
            c = static_cast<char>(random());
        }
        return text;
    };
    for (int round = 0; round < 200; ++round) {
        std::vector<Labels> series;
        for (std::uint64_t i = 0; i < 1 + random() % 20; ++i) {
            std::vector<model::Label> labels;
            for (std::uint64_t k = 0; k < random() % 10; ++k) {
                labels.push_back({any_text(), any_text()});
            }
            series.push_back(Labels::from(std::move(labels)));
        }
        std::vector<SeriesSample> samples;
        for (std::uint64_t i = 0; i < random() % 100; ++i) {
            samples.push_back({series[random() % series.size()],
                               Timestamp(static_cast<std::int64_t>(random())),
                               std::bit_cast<double>(random())});
        }
        ASSERT_EQ(decoded(encode_remote_write(samples, kAnySize)), content_of(samples));
    }
}

}  // namespace
}  // namespace kpid::wire
