// Requests that Prometheus sent decode to what a second decoder made of them.

#include "kpid/wire/remote_write.h"
#include "support/conformance.h"
#include "support/remote_write_body.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <bit>
#include <cstdlib>

namespace kpid::wire {
namespace {

using simdjson::dom::element;

std::string_view text(element value) {
    return value.get_string();
}

// "1.5", "inf", "STALE" or "NaN:" with the bits in hexadecimal.
std::uint64_t bits_of_text(std::string_view word) {
    if (word == "STALE") {
        return model::kStaleNanBits;
    }
    if (word.starts_with("NaN:")) {
        return std::strtoull(std::string(word.substr(4)).c_str(), nullptr, 16);
    }
    return std::bit_cast<std::uint64_t>(std::strtod(std::string(word).c_str(), nullptr));
}

void expect_exemplar(const RemoteWriteExemplar& exemplar, element want) {
    std::vector<LabelView> labels;
    ASSERT_TRUE(read_labels(exemplar.label_bytes, labels).has_value());
    std::size_t i = 0;
    for (const element pair : want["labels"].get_array()) {
        ASSERT_LT(i, labels.size());
        EXPECT_EQ(labels[i].name, text(pair.at(0)));
        EXPECT_EQ(labels[i].value, text(pair.at(1)));
        ++i;
    }
    EXPECT_EQ(i, labels.size());
    EXPECT_EQ(exemplar.time, Timestamp(want["ts"].get_int64()));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(exemplar.value), bits_of_text(text(want["value"])));
}

void expect_series(const RemoteWriteSeries& series, element want) {
    std::vector<LabelView> labels;
    ASSERT_TRUE(read_labels(series.label_bytes, labels).has_value());
    std::size_t i = 0;
    for (const element pair : want["labels"].get_array()) {
        ASSERT_LT(i, labels.size());
        EXPECT_EQ(labels[i].name, text(pair.at(0)));
        EXPECT_EQ(labels[i].value, text(pair.at(1)));
        ++i;
    }
    EXPECT_EQ(i, labels.size());
    i = 0;
    for (const element pair : want["samples"].get_array()) {
        ASSERT_LT(i, series.samples.size());
        EXPECT_EQ(series.samples[i].time, Timestamp(pair.at(0).get_int64()));
        EXPECT_EQ(std::bit_cast<std::uint64_t>(series.samples[i].value),
                  bits_of_text(text(pair.at(1))));
        ++i;
    }
    EXPECT_EQ(i, series.samples.size());
    i = 0;
    for (const element exemplar : want["exemplars"].get_array()) {
        ASSERT_LT(i, series.exemplars.size());
        expect_exemplar(series.exemplars[i], exemplar);
        ++i;
    }
    EXPECT_EQ(i, series.exemplars.size());
    EXPECT_EQ(series.native_histograms, std::uint64_t(want["histograms"]));
}

TEST(RemoteWriteCapture, DecodesToWhatStandsBesideIt) {
    const auto folder = testing::conformance_dir("captured-clients");
    if (!folder) {
        return;
    }
    RemoteWriteDecoder decoder;
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "remote-write-v1")) {
        const std::string path = entry.path().string();
        if (!path.ends_with(".body")) {
            continue;
        }
        SCOPED_TRACE(path);
        ++count;
        simdjson::dom::parser parser;
        const element want = parser.load(path.substr(0, path.size() - 5) + ".decoded.json");
        const std::string body = testing::read_file(path);
        const auto request = decoder.decode(body, RemoteWriteVersion::kV1);
        ASSERT_TRUE(request.has_value()) << request.error().message;
        std::size_t i = 0;
        for (const element series : want["timeseries"].get_array()) {
            ASSERT_LT(i, request->series.size());
            expect_series(request->series[i], series);
            ++i;
        }
        EXPECT_EQ(i, request->series.size());
        i = 0;
        for (const element metadata : want["metadata"].get_array()) {
            ASSERT_LT(i, request->metadata.size());
            EXPECT_EQ(request->metadata[i].family, text(metadata["name"]));
            EXPECT_EQ(request->metadata[i].help, text(metadata["help"]));
            EXPECT_EQ(request->metadata[i].unit, text(metadata["unit"]));
            ++i;
        }
        EXPECT_EQ(i, request->metadata.size());
        EXPECT_TRUE(series_samples(*request).refused.empty());
    }
    EXPECT_GE(count, 10U);
}

// The same shape without the recordings: what a Prometheus sends of a target.
TEST(RemoteWriteCapture, DecodesWhatASenderWritesOfATarget) {
    const std::vector<testing::SentSeries> sent = {
        {.labels = {{"__name__", "up"}, {"instance", "a:1"}, {"job", "node"}},
         .samples = {{1'795'314'674'771, 1}}},
        {.labels = {{"__name__", "load"}, {"instance", "a:1"}, {"job", "node"}},
         .samples = {{1'795'314'674'771, std::bit_cast<double>(model::kStaleNanBits)}}},
    };
    RemoteWriteDecoder decoder;
    const std::string body = testing::snappy_block(testing::request_message_v1(sent));
    const auto request = decoder.decode(body, RemoteWriteVersion::kV1);
    ASSERT_TRUE(request.has_value());
    const RemoteWriteSamples samples = series_samples(*request);
    ASSERT_EQ(samples.samples.size(), 2U);
    EXPECT_EQ(samples.samples[0].labels.to_string(), R"(up{instance="a:1", job="node"})");
    EXPECT_TRUE(model::is_stale_marker(samples.samples[1].value));
}

}  // namespace
}  // namespace kpid::wire
