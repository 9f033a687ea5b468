// WriteRequest of remote write 1.0, written.
#include "kpid/wire/remote_write_encoder.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace kpid::wire {
namespace {

// The fields of version 1; the decoder has them in remote_write_v1.cc.
constexpr protozero::pbf_tag_type kRequestSeries = 1;
constexpr protozero::pbf_tag_type kRequestMetadata = 3;
constexpr protozero::pbf_tag_type kSeriesLabels = 1;
constexpr protozero::pbf_tag_type kSeriesSamples = 2;
constexpr protozero::pbf_tag_type kLabelName = 1;
constexpr protozero::pbf_tag_type kLabelValue = 2;
constexpr protozero::pbf_tag_type kSampleValue = 1;
constexpr protozero::pbf_tag_type kSampleTime = 2;
constexpr protozero::pbf_tag_type kMetadataType = 1;
constexpr protozero::pbf_tag_type kMetadataFamily = 2;
constexpr protozero::pbf_tag_type kMetadataHelp = 4;
constexpr protozero::pbf_tag_type kMetadataUnit = 5;

// A field's tag and its length, at most: tags are below 16, lengths below 4 GiB.
constexpr std::size_t kHeadBytesMax = 1 + 5;
// A sample with its head: a tagged double and a tagged varint of ten bytes.
constexpr std::size_t kSampleBytesMax = 2 + 9 + 11;

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// Samples of one series, chained in their order.
struct Chain {
    std::size_t first = kNone;
    std::size_t last = kNone;
};

// The samples of a request, by series.
struct Grouping {
    std::vector<Chain> series;
    std::vector<std::size_t> next;  // entry i: the sample after sample i of the same series
};

std::size_t label_bytes_max(const model::Labels& labels) {
    std::size_t bytes = kHeadBytesMax;
    for (const model::Label& label : labels) {
        bytes += 3 * kHeadBytesMax + label.name.size() + label.value.size();
    }
    return bytes;
}

// Groups samples from the first on until they may take more than the bytes.
Grouping group(std::span<const model::SeriesSample> samples, std::size_t bytes_max) {
    Grouping grouping;
    grouping.next.reserve(samples.size());
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> known;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto found = known.find(samples[i].labels);
        const bool is_new = found == known.end();
        bytes += kSampleBytesMax + (is_new ? label_bytes_max(samples[i].labels) : 0);
        if (bytes > bytes_max && i > 0) {
            break;
        }
        grouping.next.push_back(kNone);
        if (is_new) {
            known.emplace(samples[i].labels, grouping.series.size());
            grouping.series.push_back({.first = i, .last = i});
        } else {
            Chain& chain = grouping.series[found->second];
            grouping.next[chain.last] = i;
            chain.last = i;
        }
    }
    return grouping;
}

void write_sample(protozero::pbf_writer& series, const model::SeriesSample& sample) {
    // As protobuf has it, a field that is 0 is left out; -0 is not 0 here, its sign would be lost.
    const auto bits = std::bit_cast<std::uint64_t>(sample.value);
    if (bits == 0 && sample.time.ms() == 0) {
        series.add_message(kSeriesSamples, nullptr, 0);
        return;
    }
    protozero::pbf_writer message(series, kSeriesSamples);
    if (bits != 0) {
        message.add_fixed64(kSampleValue, bits);
    }
    if (sample.time.ms() != 0) {
        message.add_int64(kSampleTime, sample.time.ms());
    }
}

void write_labels(protozero::pbf_writer& series, const model::Labels& labels) {
    for (const model::Label& label : labels) {
        protozero::pbf_writer message(series, kSeriesLabels);
        message.add_string(kLabelName, label.name);
        message.add_string(kLabelValue, label.value);
    }
}

// The number of a type in version 1.
std::int32_t number_of(model::MetricType type) {
    switch (type) {
        case model::MetricType::kUnknown:
            return 0;
        case model::MetricType::kCounter:
            return 1;
        case model::MetricType::kGauge:
            return 2;
        case model::MetricType::kHistogram:
            return 3;
        case model::MetricType::kGaugeHistogram:
            return 4;
        case model::MetricType::kSummary:
            return 5;
        case model::MetricType::kInfo:
            return 6;
        case model::MetricType::kStateset:
            return 7;
    }
    return 0;
}

void write_metadata(protozero::pbf_writer& request, const model::MetricMetadata& family) {
    protozero::pbf_writer message(request, kRequestMetadata);
    if (const std::int32_t number = number_of(family.type); number != 0) {
        message.add_enum(kMetadataType, number);
    }
    message.add_string(kMetadataFamily, family.family);
    if (!family.help.empty()) {
        message.add_string(kMetadataHelp, family.help);
    }
    if (!family.unit.empty()) {
        message.add_string(kMetadataUnit, family.unit);
    }
}

RemoteWriteBody pack(const std::string& plain, std::size_t count) {
    RemoteWriteBody body{.count = count, .plain_bytes = plain.size()};
    snappy::Compress(plain.data(), plain.size(), &body.packed);
    return body;
}

}  // namespace

RemoteWriteBody encode_remote_write(std::span<const model::SeriesSample> samples,
                                    std::size_t plain_bytes_max) {
    const Grouping grouping = group(samples, plain_bytes_max);
    std::string plain;
    protozero::pbf_writer request(plain);
    for (const Chain& chain : grouping.series) {
        protozero::pbf_writer series(request, kRequestSeries);
        write_labels(series, samples[chain.first].labels);
        for (std::size_t i = chain.first; i != kNone; i = grouping.next[i]) {
            write_sample(series, samples[i]);
        }
    }
    return pack(plain, grouping.next.size());
}

RemoteWriteBody encode_remote_write(std::span<const model::MetricMetadata> families,
                                    std::size_t plain_bytes_max) {
    std::string plain;
    protozero::pbf_writer request(plain);
    std::size_t count = 0;
    for (const model::MetricMetadata& family : families) {
        const std::size_t bytes =
            4 * kHeadBytesMax + family.family.size() + family.help.size() + family.unit.size();
        if (count > 0 && plain.size() + bytes > plain_bytes_max) {
            break;
        }
        write_metadata(request, family);
        ++count;
    }
    return pack(plain, count);
}

}  // namespace kpid::wire
