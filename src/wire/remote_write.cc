// Remote write: versions, snappy, and what both versions share.
#include "kpid/wire/remote_write.h"

#include "wire/remote_write_buffers.h"

#include <fmt/format.h>
#include <snappy.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace kpid::wire {
namespace {

// A buffer that grew beyond this is given back before the next request.
constexpr std::size_t kKeptBytesMax = std::size_t{4} << 20U;
// No snappy block unpacks to more than this times its size: its densest element makes 64 bytes of 3
// (format_description.txt, section 2.2).
constexpr std::size_t kSnappyRatioMax = 22;

constexpr std::string_view kMediaType = "application/x-protobuf";
constexpr std::string_view kMessageV1 = "prometheus.WriteRequest";
constexpr std::string_view kMessageV2 = "io.prometheus.write.v2.Request";

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view trim(std::string_view text) {
    const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// Cuts what stands before the next ';' off the text.
std::string_view next_part(std::string_view& text) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

template <class T>
void recycle(std::vector<T>& list) {
    if (list.capacity() * sizeof(T) > kKeptBytesMax) {
        list = std::vector<T>();
    } else {
        list.clear();
    }
}

Error damaged(std::string_view how) {
    return invalid_argument(fmt::format("the remote write request cannot be read: {}", how));
}

Error too_large(std::string_view things, std::size_t limit) {
    return {Code::kResourceExhausted,
            fmt::format("the remote write request has more than {} {}", limit, things)};
}

// The unpacked size that a block states, when it is believable.
Result<std::size_t> plain_size(std::string_view body) {
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
        return damaged("it is not a snappy block");
    }
    if (size > kRemoteWriteBytesMax) {
        return too_large("bytes", kRemoteWriteBytesMax);
    }
    if (size / kSnappyRatioMax > body.size()) {
        return damaged("the snappy block is damaged");
    }
    return size;
}

}  // namespace

std::optional<RemoteWriteVersion> remote_write_version_of(std::string_view content_type) {
    content_type = trim(content_type);
    if (content_type.empty()) {
        return RemoteWriteVersion::kV1;
    }
    if (!equals_ignoring_case(next_part(content_type), kMediaType)) {
        return std::nullopt;
    }
    std::optional<RemoteWriteVersion> version = RemoteWriteVersion::kV1;
    while (!content_type.empty()) {
        const std::string_view part = next_part(content_type);
        const std::size_t equals = std::min(part.find('='), part.size());
        if (!equals_ignoring_case(trim(part.substr(0, equals)), "proto")) {
            continue;
        }
        std::string_view message = trim(part.substr(std::min(equals + 1, part.size())));
        if (message.size() >= 2 && message.front() == '"' && message.back() == '"') {
            message = message.substr(1, message.size() - 2);
        }
        if (message == kMessageV2) {
            version = RemoteWriteVersion::kV2;
        } else if (message != kMessageV1) {
            return std::nullopt;
        }
    }
    return version;
}

void RemoteWriteDecoder::Buffers::clear() {
    recycle(series);
    recycle(extents);
    recycle(samples);
    recycle(exemplars);
    recycle(exemplar_labels);
    recycle(metadata);
    recycle(arena);
    recycle(symbols);
    recycle(messages);
    recycle(references);
    recycle(exemplar_messages);
}

RemoteWriteRequest RemoteWriteDecoder::Buffers::finish() {
    RemoteWriteRequest request{.series = series,
                               .metadata = metadata,
                               .samples = samples.size(),
                               .exemplars = exemplars.size()};
    for (std::size_t i = 0; i < exemplars.size(); ++i) {
        exemplars[i].label_bytes = bytes_of(exemplar_labels[i], exemplars[i].label_bytes);
    }
    for (std::size_t i = 0; i < series.size(); ++i) {
        const Extent& extent = extents[i];
        RemoteWriteSeries& one = series[i];
        one.samples = std::span(samples).subspan(extent.first_sample, extent.sample_count);
        one.exemplars = std::span(exemplars).subspan(extent.first_exemplar, extent.exemplar_count);
        one.label_bytes = bytes_of(extent.labels, one.label_bytes);
        request.native_histograms += one.native_histograms;
    }
    return request;
}

void read_sample(std::string_view bytes, RemoteWriteDecoder::Buffers& buffers) {
    constexpr protozero::pbf_tag_type kValue = 1;
    constexpr protozero::pbf_tag_type kTimestamp = 2;
    protozero::pbf_reader sample = reader_of(bytes);
    std::uint64_t bits = 0;
    std::int64_t ms = 0;
    while (sample.next()) {
        switch (sample.tag()) {
            case kValue:
                want(sample, protozero::pbf_wire_type::fixed64, "Sample.value");
                bits = sample.get_fixed64();
                break;
            case kTimestamp:
                want(sample, protozero::pbf_wire_type::varint, "Sample.timestamp");
                ms = sample.get_int64();
                break;
            default:
                sample.skip();
        }
    }
    add_bounded(buffers.samples, model::Sample{Timestamp(ms), std::bit_cast<double>(bits)},
                kRemoteWriteSamplesMax, "samples");
}

void add_exemplar(const RemoteWriteExemplar& one, RemoteWriteDecoder::Buffers::ArenaPiece labels,
                  RemoteWriteDecoder::Buffers& buffers) {
    add_bounded(buffers.exemplars, one, kRemoteWriteExemplarsMax, "exemplars");
    buffers.exemplar_labels.push_back(labels);
}

model::MetricType metric_type_of(std::int32_t number) {
    using model::MetricType;
    constexpr std::array kTypes{MetricType::kUnknown,        MetricType::kCounter,
                                MetricType::kGauge,          MetricType::kHistogram,
                                MetricType::kGaugeHistogram, MetricType::kSummary,
                                MetricType::kInfo,           MetricType::kStateset};
    const auto index = static_cast<std::uint32_t>(number);
    return index < kTypes.size() ? kTypes[index] : MetricType::kUnknown;
}

RemoteWriteDecoder::RemoteWriteDecoder() : buffers_(std::make_unique<Buffers>()) {
}

RemoteWriteDecoder::~RemoteWriteDecoder() = default;
RemoteWriteDecoder::RemoteWriteDecoder(RemoteWriteDecoder&&) noexcept = default;
RemoteWriteDecoder& RemoteWriteDecoder::operator=(RemoteWriteDecoder&&) noexcept = default;

Result<RemoteWriteRequest> RemoteWriteDecoder::decode(std::string_view body,
                                                      RemoteWriteVersion version) {
    KPID_TRY(const std::size_t size, plain_size(body));
    const bool is_oversized = buffers_->plain_capacity > kKeptBytesMax && size <= kKeptBytesMax;
    if (size > buffers_->plain_capacity || is_oversized) {
        buffers_->plain.reset();  // never both at once
        buffers_->plain = std::make_unique_for_overwrite<char[]>(size);
        buffers_->plain_capacity = size;
    }
    if (!snappy::RawUncompress(body.data(), body.size(), buffers_->plain.get())) {
        return damaged("the snappy block is damaged");
    }
    return decode_message({buffers_->plain.get(), size}, version);
}

Result<RemoteWriteRequest> RemoteWriteDecoder::decode_message(std::string_view message,
                                                              RemoteWriteVersion version) {
    buffers_->clear();
    try {
        if (version == RemoteWriteVersion::kV1) {
            read_request_v1(message, *buffers_);
        } else {
            read_request_v2(message, *buffers_);
        }
    } catch (const WrongFieldType& wrong) {
        return damaged(fmt::format("{} has another type than it should", wrong.field));
    } catch (const LimitPassed& passed) {
        return too_large(passed.things, passed.limit);
    } catch (const protozero::exception&) {
        return damaged("the protobuf message is cut short or damaged");
    }
    return buffers_->finish();
}

}  // namespace kpid::wire
