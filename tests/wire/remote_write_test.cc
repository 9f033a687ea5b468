// Remote write, both versions: what is read, and what is refused.

#include "kpid/wire/remote_write.h"

#include "support/remote_write_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

namespace kpid::wire {
namespace {

using ::testing::HasSubstr;
using testing::label_message;
using testing::request_message_v1;
using testing::request_message_v2;
using testing::sample_message;
using testing::SentSample;
using testing::SentSeries;
using testing::series_message_v1;
using testing::snappy_block;

constexpr RemoteWriteVersion kV1 = RemoteWriteVersion::kV1;
constexpr RemoteWriteVersion kV2 = RemoteWriteVersion::kV2;

const std::vector<SentSeries> kTwoSeries = {
    {.labels = {{"__name__", "up"}, {"job", "a"}}, .samples = {{1000, 1}, {2000, 0}}},
    {.labels = {{"__name__", "down"}},
     .samples = {{0, 0}},
     .exemplars = {{}, {{{"trace_id", "a"}, {"span_id", "b"}}, 0.25, 1500}},
     .native_histograms = 3},
};

std::uint64_t bits_of(double value) {
    return std::bit_cast<std::uint64_t>(value);
}

// A message with one length-delimited field.
std::string wrap(protozero::pbf_tag_type tag, const std::string& bytes) {
    std::string out;
    protozero::pbf_writer(out).add_message(tag, bytes);
    return out;
}

std::string with_varint(protozero::pbf_tag_type tag) {
    std::string out;
    protozero::pbf_writer(out).add_uint64(tag, 7);
    return out;
}

// The message of the error, or "decoded".
std::string error_of(const Result<RemoteWriteRequest>& result) {
    return result ? "decoded" : result.error().message;
}

class RemoteWrite : public ::testing::Test {
protected:
    RemoteWriteRequest read(std::string message, RemoteWriteVersion version) {
        message_ = std::move(message);
        const Result<RemoteWriteRequest> result = decoder_.decode_message(message_, version);
        EXPECT_TRUE(result.has_value()) << error_of(result);
        return result.value_or(RemoteWriteRequest());
    }
    std::string refuse(const std::string& message, RemoteWriteVersion version = kV1) {
        return error_of(decoder_.decode_message(message, version));
    }

    RemoteWriteDecoder decoder_;
    std::string message_;  // the answer borrows from it
};

TEST_F(RemoteWrite, KnowsTheVersionByTheContentType) {
    struct Case {
        std::string_view content_type;
        std::optional<RemoteWriteVersion> want;
    };
    const Case cases[] = {
        {"", kV1},
        {"application/x-protobuf", kV1},
        {" Application/X-Protobuf ; charset=utf-8", kV1},
        {"application/x-protobuf;proto=prometheus.WriteRequest", kV1},
        {"application/x-protobuf; proto=\"prometheus.WriteRequest\"", kV1},
        {"application/x-protobuf;proto=io.prometheus.write.v2.Request", kV2},
        {"application/x-protobuf ; Proto = io.prometheus.write.v2.Request ; a=b", kV2},
        {"application/x-protobuf;proto=io.prometheus.write.v3.Request", std::nullopt},
        {"application/x-protobuf;proto", std::nullopt},
        {"application/json", std::nullopt},
        {"application/x-www-form-urlencoded", std::nullopt},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.content_type);
        EXPECT_EQ(remote_write_version_of(c.content_type), c.want);
    }
}

TEST_F(RemoteWrite, ReadsTheSameFromBothVersions) {
    std::vector<std::string> label_bytes;
    for (const RemoteWriteVersion version : {kV1, kV2}) {
        const RemoteWriteRequest request =
            read(version == kV1 ? request_message_v1(kTwoSeries) : request_message_v2(kTwoSeries),
                 version);
        ASSERT_EQ(request.series.size(), 2U);
        EXPECT_EQ(request.samples, 3U);
        EXPECT_EQ(request.exemplars, 2U);
        EXPECT_EQ(request.native_histograms, 3U);
        ASSERT_EQ(request.series[0].samples.size(), 2U);
        EXPECT_EQ(request.series[0].samples[0].time, Timestamp(1000));
        EXPECT_EQ(request.series[0].samples[0].value, 1);
        EXPECT_EQ(request.series[0].samples[1].time, Timestamp(2000));
        EXPECT_EQ(request.series[0].samples[1].value, 0);
        ASSERT_EQ(request.series[1].samples.size(), 1U);
        EXPECT_EQ(request.series[1].samples[0].time, Timestamp(0));
        EXPECT_EQ(request.series[1].native_histograms, 3U);
        EXPECT_TRUE(request.series[0].exemplars.empty());
        ASSERT_EQ(request.series[1].exemplars.size(), 2U);
        EXPECT_EQ(request.series[1].exemplars[0].value, 0);
        EXPECT_EQ(request.series[1].exemplars[0].time, Timestamp(0));
        EXPECT_EQ(request.series[1].exemplars[1].value, 0.25);
        EXPECT_EQ(request.series[1].exemplars[1].time, Timestamp(1500));
        std::vector<LabelView> labels;
        ASSERT_TRUE(read_labels(request.series[0].label_bytes, labels).has_value());
        EXPECT_EQ(labels, (std::vector<LabelView>{{"__name__", "up"}, {"job", "a"}}));
        ASSERT_TRUE(read_labels(request.series[1].exemplars[1].label_bytes, labels).has_value());
        EXPECT_EQ(labels, (std::vector<LabelView>{{"trace_id", "a"}, {"span_id", "b"}}));
        EXPECT_TRUE(request.series[1].exemplars[0].label_bytes.empty());
        label_bytes.emplace_back(request.series[0].label_bytes);
    }
    EXPECT_EQ(label_bytes[0], label_bytes[1]);
}

TEST_F(RemoteWrite, ReadsLabelsOfExemplarsThatAreApart) {
    std::string exemplar;
    protozero::pbf_writer writer(exemplar);
    writer.add_message(1, label_message("a", "1"));
    writer.add_fixed64(2, bits_of(4));
    writer.add_message(1, label_message("b", "2"));
    // The labels of the series are apart too, and the exemplar stands between them.
    const std::string series = wrap(1, label_message("__name__", "x")) + wrap(3, exemplar) +
                               wrap(1, label_message("job", "j")) + wrap(3, exemplar) +
                               wrap(1, label_message("zone", "z"));
    const RemoteWriteRequest request = read(wrap(1, series), kV1);
    ASSERT_EQ(request.series.size(), 1U);
    std::vector<LabelView> labels;
    ASSERT_TRUE(read_labels(request.series[0].label_bytes, labels).has_value());
    EXPECT_EQ(labels, (std::vector<LabelView>{{"__name__", "x"}, {"job", "j"}, {"zone", "z"}}));
    ASSERT_EQ(request.series[0].exemplars.size(), 2U);
    for (const RemoteWriteExemplar& one : request.series[0].exemplars) {
        ASSERT_TRUE(read_labels(one.label_bytes, labels).has_value());
        EXPECT_EQ(labels, (std::vector<LabelView>{{"a", "1"}, {"b", "2"}}));
        EXPECT_EQ(one.value, 4);
    }
}

TEST_F(RemoteWrite, NamesTheProblemOfAnExemplar) {
    std::string unknown;
    const std::vector<std::uint32_t> references = {1, 9};
    protozero::pbf_writer(unknown).add_packed_uint32(1, references.begin(), references.end());
    const RemoteWriteRequest request =
        read(wrap(4, "") + wrap(4, "a") + wrap(5, wrap(4, unknown)), kV2);
    ASSERT_EQ(request.exemplars, 1U);
    EXPECT_THAT(request.series[0].exemplars[0].problem, HasSubstr("refers to no symbol"));
    EXPECT_TRUE(request.series[0].problem.empty());
}

TEST_F(RemoteWrite, KeepsEveryBitOfAValue) {
    const std::uint64_t all[] = {
        model::kStaleNanBits, model::kNormalNanBits, 0x7ff8000000000000, 0xfff0000000000001,
        0x7fffffffffffffff,   0x8000000000000000,    0x7ff0000000000000, 1};
    SentSeries series{.labels = {{"__name__", "a"}}};
    for (const std::uint64_t bits : all) {
        series.samples.push_back(
            {std::numeric_limits<std::int64_t>::min(), std::bit_cast<double>(bits)});
    }
    for (const RemoteWriteVersion version : {kV1, kV2}) {
        const RemoteWriteRequest request = read(
            version == kV1 ? request_message_v1({series}) : request_message_v2({series}), version);
        const RemoteWriteSamples samples = series_samples(request);
        ASSERT_EQ(samples.samples.size(), std::size(all));
        for (std::size_t i = 0; i < std::size(all); ++i) {
            EXPECT_EQ(bits_of(samples.samples[i].value), all[i]);
            EXPECT_EQ(samples.samples[i].time, Timestamp::min());
        }
    }
}

TEST_F(RemoteWrite, TakesMetadataWithoutSeries) {
    std::string message = wrap(3, testing::metadata_message(1, "requests", "How many.", ""));
    message += wrap(3, testing::metadata_message(99, "odd", "", "seconds"));
    const RemoteWriteRequest request = read(message, kV1);
    EXPECT_TRUE(request.series.empty());
    ASSERT_EQ(request.metadata.size(), 2U);
    EXPECT_EQ(request.metadata[0].family, "requests");
    EXPECT_EQ(request.metadata[0].type, model::MetricType::kCounter);
    EXPECT_EQ(request.metadata[0].help, "How many.");
    EXPECT_EQ(request.metadata[1].type, model::MetricType::kUnknown);
    EXPECT_EQ(request.metadata[1].unit, "seconds");
    EXPECT_TRUE(series_samples(request).samples.empty());
    EXPECT_TRUE(read("", kV1).series.empty());
    EXPECT_TRUE(read("", kV2).series.empty());
}

TEST_F(RemoteWrite, ReadsMetadataOfVersion2BesideItsSeries) {
    std::string metadata;
    protozero::pbf_writer writer(metadata);
    writer.add_enum(1, 2);
    writer.add_uint32(3, 3);
    writer.add_uint32(4, 77);  // no such symbol
    std::string message;
    for (const std::string symbol : {"", "__name__", "size", "How large."}) {
        message += wrap(4, symbol);
    }
    // Labels not packed, one by one; the metadata stands before them.
    std::string series = wrap(5, metadata);
    protozero::pbf_writer labels(series);
    labels.add_uint32(1, 1);
    labels.add_uint32(1, 2);
    message = wrap(5, series) + message;  // symbols may come last
    const RemoteWriteRequest request = read(message, kV2);
    ASSERT_EQ(request.metadata.size(), 1U);
    EXPECT_EQ(request.metadata[0].family, "size");
    EXPECT_EQ(request.metadata[0].type, model::MetricType::kGauge);
    EXPECT_EQ(request.metadata[0].help, "How large.");
    EXPECT_EQ(request.metadata[0].unit, "");
}

TEST_F(RemoteWrite, PassesOverUnknownFields) {
    const std::string noise = with_varint(15) + wrap(16, "text") + with_varint(200);
    const std::string label = label_message("__name__", "up") + noise;
    const std::string sample = sample_message({1000, 5}) + noise;
    const std::string series = noise + wrap(1, label) + wrap(2, sample) + noise;
    const RemoteWriteRequest request = read(noise + wrap(1, series) + noise, kV1);
    ASSERT_EQ(request.series.size(), 1U);
    const RemoteWriteSamples samples = series_samples(request);
    ASSERT_EQ(samples.samples.size(), 1U);
    EXPECT_EQ(samples.samples[0].labels.to_string(), "up");
    EXPECT_EQ(samples.samples[0].value, 5);
    EXPECT_EQ(read(noise + request_message_v2(kTwoSeries) + noise, kV2).series.size(), 2U);
}

TEST_F(RemoteWrite, GathersLabelsThatDoNotFollowEachOther) {
    const std::string a = wrap(1, label_message("__name__", "up"));
    const std::string b = wrap(1, label_message("job", "x"));
    const std::string c = wrap(1, label_message("zone", "y"));
    const std::string sample = wrap(2, sample_message({1000, 1}));
    const std::string message = wrap(1, a + sample + b + c + sample) + wrap(1, a + b + c + sample) +
                                wrap(1, sample + a + sample + b + sample + c);
    const RemoteWriteRequest request = read(message, kV1);
    ASSERT_EQ(request.series.size(), 3U);
    for (const RemoteWriteSeries& series : request.series) {
        EXPECT_EQ(series.label_bytes, a + b + c);
    }
    EXPECT_EQ(request.series[2].samples.size(), 3U);
}

TEST_F(RemoteWrite, RefusesKnownFieldsOfAnotherType) {
    const std::string series = series_message_v1(kTwoSeries[0]);
    struct Case {
        std::string_view name;
        std::string message;
        RemoteWriteVersion version;
        std::string_view want;
    };
    const Case cases[] = {
        {"series", with_varint(1), kV1, "WriteRequest.timeseries"},
        {"metadata", with_varint(3), kV1, "WriteRequest.metadata"},
        {"labels", wrap(1, with_varint(1)), kV1, "TimeSeries.labels"},
        {"samples", wrap(1, with_varint(2)), kV1, "TimeSeries.samples"},
        {"exemplars", wrap(1, with_varint(3)), kV1, "TimeSeries.exemplars"},
        {"exemplar's labels", wrap(1, wrap(3, with_varint(1))), kV1, "Exemplar.labels"},
        {"exemplar's value", wrap(1, wrap(3, with_varint(2))), kV1, "Exemplar.value"},
        {"exemplar's time", wrap(5, wrap(4, wrap(3, "x"))), kV2, "Exemplar.timestamp"},
        {"histograms", wrap(1, with_varint(4)), kV1, "TimeSeries.histograms"},
        {"value", wrap(1, wrap(2, with_varint(1))), kV1, "Sample.value"},
        {"time", wrap(1, wrap(2, wrap(2, "x"))), kV1, "Sample.timestamp"},
        {"type", wrap(3, wrap(1, "x")), kV1, "MetricMetadata.type"},
        {"help", wrap(3, with_varint(4)), kV1, "MetricMetadata.help"},
        {"symbols", with_varint(4), kV2, "Request.symbols"},
        {"series of 2", with_varint(5), kV2, "Request.timeseries"},
        {"samples of 2", wrap(5, with_varint(2)), kV2, "TimeSeries.samples"},
        {"version 1 as 2", wrap(1, series), kV2, "a field of version 1"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_THAT(refuse(c.message, c.version), HasSubstr(c.want));
    }
}

TEST_F(RemoteWrite, RefusesWhatIsCutShort) {
    const std::string v1 = request_message_v1({kTwoSeries[0]});
    const std::string v2 = request_message_v2({kTwoSeries[0]});
    for (std::size_t size = 1; size < v1.size(); ++size) {
        EXPECT_THAT(refuse(v1.substr(0, size)), HasSubstr("cut short")) << size;
    }
    // In version 2 whole symbols may be missing without the message being damaged.
    for (std::size_t size = 1; size < v2.size(); ++size) {
        const Result<RemoteWriteRequest> result = decoder_.decode_message(v2.substr(0, size), kV2);
        if (result) {
            EXPECT_TRUE(result->series.empty()) << size;
        }
    }
    EXPECT_THAT(refuse(std::string("\x00", 1)), HasSubstr("damaged"));
    EXPECT_THAT(refuse("\x0b"), HasSubstr("damaged"));  // a group
    EXPECT_THAT(refuse(std::string(11, '\xff')), HasSubstr("damaged"));
}

TEST_F(RemoteWrite, RefusesDamagedSnappy) {
    const std::string body = snappy_block(request_message_v1(kTwoSeries));
    ASSERT_TRUE(decoder_.decode(body, kV1).has_value());
    struct Case {
        std::string_view name;
        std::string body;
        Code want;
    };
    const Case cases[] = {
        {"nothing", "", Code::kInvalidArgument},
        {"not packed", request_message_v1(kTwoSeries), Code::kInvalidArgument},
        {"cut", body.substr(0, body.size() - 1), Code::kInvalidArgument},
        {"longer", body + "x", Code::kInvalidArgument},
        {"framed", std::string("\xff\x06\x00\x00sNaPpY", 10) + body, Code::kInvalidArgument},
        {"endless size", std::string(8, '\xff'), Code::kInvalidArgument},
        {"a size that the block cannot have", "\xff\xff\xff\x07" + body.substr(2),
         Code::kInvalidArgument},
        {"above the limit", std::string("\x81\x80\x80\x10", 4), Code::kResourceExhausted},
        {"far above the limit", std::string("\xff\xff\xff\xff\x0f", 5), Code::kResourceExhausted},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const Result<RemoteWriteRequest> result = decoder_.decode(c.body, kV1);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, c.want) << result.error().message;
    }
    EXPECT_TRUE(decoder_.decode(body, kV1).has_value());
}

TEST_F(RemoteWrite, BoundsWhatAFewBytesCanCost) {
    std::string empty_series;
    for (std::size_t i = 0; i <= kRemoteWriteSeriesMax; ++i) {
        empty_series += std::string("\x0a\x00", 2);
    }
    const Result<RemoteWriteRequest> series = decoder_.decode(snappy_block(empty_series), kV1);
    ASSERT_FALSE(series.has_value());
    EXPECT_EQ(series.error().code, Code::kResourceExhausted);
    EXPECT_THAT(series.error().message, HasSubstr("500000 series"));

    // One long symbol, referred to again and again.
    std::string message = wrap(4, "") + wrap(4, std::string(1'000'000, 'n'));
    const std::vector<std::uint32_t> references(200, 1);
    std::string labels;
    protozero::pbf_writer(labels).add_packed_uint32(1, references.begin(), references.end());
    message += wrap(5, labels);
    const Result<RemoteWriteRequest> symbols = decoder_.decode_message(message, kV2);
    ASSERT_FALSE(symbols.has_value());
    EXPECT_EQ(symbols.error().code, Code::kResourceExhausted);
}

TEST_F(RemoteWrite, SortsLabelsAndDropsEmptyValues) {
    const RemoteWriteRequest request = read(
        request_message_v1({{.labels = {{"b", "2"}, {"empty", ""}, {"__name__", "m"}, {"a", "1"}},
                             .samples = {{1000, 1}}}}),
        kV1);
    const RemoteWriteSamples samples = series_samples(request);
    ASSERT_EQ(samples.samples.size(), 1U);
    EXPECT_EQ(samples.samples[0].labels,
              (model::Labels{{"__name__", "m"}, {"a", "1"}, {"b", "2"}}));
}

TEST_F(RemoteWrite, RefusesSeriesWithBadLabelsAndKeepsTheOthers) {
    std::string message = request_message_v1({
        {.labels = {{"__name__", "twice"}, {"a", "1"}, {"b", "1"}, {"a", "2"}},
         .samples = {{1, 1}, {2, 2}}},
        {.labels = {{"__name__", "good"}}, .samples = {{1, 1}}},
        {.labels = {{"__name__", "nameless"}, {"", "1"}}, .samples = {{1, 1}}},
        {.labels = {{"a", "1"}, {"a", "1"}}, .samples = {{1, 1}}},
        {.labels = {{"a", "1"}, {"a", "1"}}},  // nothing to refuse
    });
    message += wrap(1, wrap(1, with_varint(1)) + wrap(2, ""));  // a label whose name is a number
    message += wrap(1, wrap(1, "\x0a") + wrap(2, ""));          // a label that is cut
    const RemoteWriteSamples samples = series_samples(read(message, kV1));
    ASSERT_EQ(samples.samples.size(), 1U);
    EXPECT_EQ(samples.samples[0].labels.to_string(), "good");
    EXPECT_EQ(samples.series, std::vector<std::size_t>{1});
    ASSERT_EQ(samples.refused.size(), 5U);
    EXPECT_EQ(samples.refused[0].samples, 2U);
    EXPECT_EQ(samples.refused[0].message,
              "series 1 of the request (twice): the label a comes twice");
    EXPECT_EQ(samples.refused[1].series, 2U);
    EXPECT_THAT(samples.refused[1].message, HasSubstr("(nameless): a label has no name"));
    EXPECT_THAT(samples.refused[2].message, HasSubstr("without a metric name"));
    EXPECT_THAT(samples.refused[3].message, HasSubstr("Label.name has another type"));
    EXPECT_THAT(samples.refused[4].message, HasSubstr("cut short"));
}

TEST_F(RemoteWrite, RefusesSeriesWithBadReferences) {
    const auto series_with = [](std::vector<std::uint32_t> references) {
        std::string bytes;
        protozero::pbf_writer writer(bytes);
        writer.add_packed_uint32(1, references.begin(), references.end());
        writer.add_message(2, sample_message({1000, 1}));
        return wrap(5, bytes);
    };
    std::string message = wrap(4, "") + wrap(4, "__name__") + wrap(4, "up");
    message += series_with({1, 2}) + series_with({1, 3}) + series_with({1}) +
               series_with(std::vector<std::uint32_t>(2 * kRemoteWriteLabelsMax + 2, 1));
    const RemoteWriteSamples samples = series_samples(read(message, kV2));
    ASSERT_EQ(samples.samples.size(), 1U);
    ASSERT_EQ(samples.refused.size(), 3U);
    EXPECT_THAT(samples.refused[0].message, HasSubstr("no symbol"));
    EXPECT_THAT(samples.refused[1].message, HasSubstr("no value"));
    EXPECT_THAT(samples.refused[2].message, HasSubstr("too many labels"));
}

TEST_F(RemoteWrite, ReadsManyRequestsOneAfterTheOther) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 50; ++round) {
        std::vector<SentSeries> sent(random() % 300);
        for (std::size_t i = 0; i < sent.size(); ++i) {
            sent[i].labels = {{"__name__", "m" + std::to_string(i)},
                              {"long", std::string(random() % 200, 'v') + "."}};
            sent[i].samples.resize(random() % 4);
            for (SentSample& sample : sent[i].samples) {
                sample = {static_cast<std::int64_t>(random()), std::bit_cast<double>(random())};
            }
        }
        const RemoteWriteVersion version = round % 2 == 0 ? kV1 : kV2;
        const std::string body =
            snappy_block(version == kV1 ? request_message_v1(sent) : request_message_v2(sent));
        const Result<RemoteWriteRequest> request = decoder_.decode(body, version);
        ASSERT_TRUE(request.has_value());
        ASSERT_EQ(request->series.size(), sent.size());
        std::vector<LabelView> labels;
        for (std::size_t i = 0; i < sent.size(); ++i) {
            ASSERT_TRUE(read_labels(request->series[i].label_bytes, labels).has_value());
            ASSERT_EQ(labels.size(), 2U);
            EXPECT_EQ(labels[0].value, sent[i].labels[0].second);
            EXPECT_EQ(labels[1].value, sent[i].labels[1].second);
            ASSERT_EQ(request->series[i].samples.size(), sent[i].samples.size());
            for (std::size_t k = 0; k < sent[i].samples.size(); ++k) {
                EXPECT_EQ(request->series[i].samples[k].time, Timestamp(sent[i].samples[k].ms));
                EXPECT_EQ(bits_of(request->series[i].samples[k].value),
                          bits_of(sent[i].samples[k].value));
            }
        }
    }
}

}  // namespace
}  // namespace kpid::wire
