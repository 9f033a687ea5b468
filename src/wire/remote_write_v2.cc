// Request of remote write 2.0: symbols, and series that refer to them.
#include "kpid/model/labels.h"
#include "wire/remote_write_buffers.h"

#include <protozero/varint.hpp>

#include <algorithm>

namespace kpid::wire {
namespace {

using Buffers = RemoteWriteDecoder::Buffers;
using protozero::pbf_tag_type;
using protozero::pbf_wire_type;

namespace request_field {
// 1 to 3 are version 1's and stand in no request of version 2.
constexpr pbf_tag_type kVersion1Max = 3;
constexpr pbf_tag_type kSymbols = 4;
constexpr pbf_tag_type kTimeseries = 5;
}  // namespace request_field

namespace series_field {
constexpr pbf_tag_type kLabels = 1;
constexpr pbf_tag_type kSamples = 2;
constexpr pbf_tag_type kHistograms = 3;
constexpr pbf_tag_type kExemplars = 4;
constexpr pbf_tag_type kMetadata = 5;
}  // namespace series_field

namespace metadata_field {
constexpr pbf_tag_type kType = 1;
constexpr pbf_tag_type kHelp = 3;
constexpr pbf_tag_type kUnit = 4;
}  // namespace metadata_field

constexpr std::string_view kOddReferences = "a label has no value";
constexpr std::string_view kUnknownReference = "a label refers to no symbol of the request";
constexpr std::string_view kTooManyLabels = "there are too many labels";

// The tag of `WriteRequest.timeseries.labels` and of the two strings in a label, as version 1 has
// them.
constexpr char kLabelTag = 0x0a;
constexpr char kNameTag = 0x0a;
constexpr char kValueTag = 0x12;

std::size_t varint_size(std::size_t number) {
    return static_cast<std::size_t>(protozero::length_of_varint(number));
}

// Bytes of the two strings in a label, with their tags and sizes.
std::size_t label_size(const LabelView& label) {
    return 2 + varint_size(label.name.size()) + label.name.size() +
           varint_size(label.value.size()) + label.value.size();
}

// Writes tag, size and text; gives back where the next byte goes.
char* put_string(char* out, char tag, std::string_view text) {
    *out++ = tag;
    out += protozero::add_varint_to_buffer(out, text.size());
    return std::copy(text.begin(), text.end(), out);
}

char* put_label(char* out, const LabelView& label) {
    *out++ = kLabelTag;
    out += protozero::add_varint_to_buffer(out, label_size(label));
    out = put_string(out, kNameTag, label.name);
    return put_string(out, kValueTag, label.value);
}

class SeriesReader {
public:
    explicit SeriesReader(Buffers& buffers) : buffers_(buffers) {}

    void read(std::string_view bytes);

private:
    void read_references(protozero::pbf_reader& series);
    void add_reference(std::uint32_t reference);
    void build_labels();
    void read_metadata(std::string_view bytes);
    [[nodiscard]] std::string_view symbol(std::uint32_t reference) const;
    // The one whose name is referred to by the entry i.
    [[nodiscard]] LabelView label(std::size_t i) const {
        return {buffers_.symbols[buffers_.references[i]],
                buffers_.symbols[buffers_.references[i + 1]]};
    }

    Buffers& buffers_;
    RemoteWriteSeries one_;
    Buffers::Extent extent_;
    std::string_view metric_name_;
};

void SeriesReader::add_reference(std::uint32_t reference) {
    if (buffers_.references.size() >= 2 * kRemoteWriteLabelsMax) {
        one_.problem = kTooManyLabels;
        return;
    }
    buffers_.references.push_back(reference);
}

void SeriesReader::read_references(protozero::pbf_reader& series) {
    if (series.wire_type() == pbf_wire_type::varint) {  // not packed, which is as good
        add_reference(series.get_uint32());
        return;
    }
    want(series, pbf_wire_type::length_delimited, "TimeSeries.labels_refs");
    for (const std::uint32_t reference : series.get_packed_uint32()) {
        add_reference(reference);
    }
}

// Writes the labels into the arena as version 1 has them.
void SeriesReader::build_labels() {
    const std::vector<std::uint32_t>& references = buffers_.references;
    if (one_.problem.empty() && references.size() % 2 != 0) {
        one_.problem = kOddReferences;
    }
    for (const std::uint32_t reference : references) {
        if (reference >= buffers_.symbols.size()) {
            one_.problem = one_.problem.empty() ? kUnknownReference : one_.problem;
        }
    }
    if (!one_.problem.empty()) {
        return;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < references.size(); i += 2) {
        const LabelView one = label(i);
        const std::size_t inner = label_size(one);
        size += 1 + varint_size(inner) + inner;
        if (one.name == model::kMetricName) {
            metric_name_ = one.value;
        }
    }
    std::vector<char>& arena = buffers_.arena;
    if (arena.size() + size > kRemoteWriteLabelBytesMax) {
        throw LimitPassed("bytes of labels", kRemoteWriteLabelBytesMax);
    }
    extent_.arena_offset = arena.size();
    extent_.arena_size = size;
    arena.resize(arena.size() + size);
    char* out = arena.data() + extent_.arena_offset;
    for (std::size_t i = 0; i < references.size(); i += 2) {
        out = put_label(out, label(i));
    }
}

// Metadata is not worth a series: an unknown symbol is an empty text, as reference 0 is.
std::string_view SeriesReader::symbol(std::uint32_t reference) const {
    return reference < buffers_.symbols.size() ? buffers_.symbols[reference] : std::string_view();
}

void SeriesReader::read_metadata(std::string_view bytes) {
    RemoteWriteMetadata metadata{.family = metric_name_};
    protozero::pbf_reader reader = reader_of(bytes);
    while (reader.next()) {
        switch (reader.tag()) {
            case metadata_field::kType:
                want(reader, pbf_wire_type::varint, "Metadata.type");
                metadata.type = metric_type_of(reader.get_enum());
                break;
            case metadata_field::kHelp:
                want(reader, pbf_wire_type::varint, "Metadata.help_ref");
                metadata.help = symbol(reader.get_uint32());
                break;
            case metadata_field::kUnit:
                want(reader, pbf_wire_type::varint, "Metadata.unit_ref");
                metadata.unit = symbol(reader.get_uint32());
                break;
            default:
                reader.skip();
        }
    }
    const bool says_something = metadata.type != model::MetricType::kUnknown ||
                                !metadata.help.empty() || !metadata.unit.empty();
    if (says_something && !metadata.family.empty()) {
        add_bounded(buffers_.metadata, metadata, kRemoteWriteSeriesMax, "metadata entries");
    }
}

void SeriesReader::read(std::string_view bytes) {
    one_ = RemoteWriteSeries();
    extent_ = {.first_sample = buffers_.samples.size()};
    metric_name_ = {};
    buffers_.references.clear();
    std::string_view metadata;
    protozero::pbf_reader series = reader_of(bytes);
    while (series.next()) {
        switch (series.tag()) {
            case series_field::kLabels:
                read_references(series);
                break;
            case series_field::kSamples:
                read_sample(bytes_of(series, "TimeSeries.samples"), buffers_);
                break;
            case series_field::kHistograms:
                want(series, pbf_wire_type::length_delimited, "TimeSeries.histograms");
                series.skip();
                ++one_.native_histograms;
                break;
            case series_field::kExemplars:
                want(series, pbf_wire_type::length_delimited, "TimeSeries.exemplars");
                series.skip();
                ++one_.exemplars;
                break;
            case series_field::kMetadata:
                metadata = bytes_of(series, "TimeSeries.metadata");
                break;
            default:
                series.skip();
        }
    }
    build_labels();
    read_metadata(metadata);
    extent_.sample_count = buffers_.samples.size() - extent_.first_sample;
    buffers_.series.push_back(one_);
    buffers_.extents.push_back(extent_);
}

}  // namespace

void read_request_v2(std::string_view message, Buffers& buffers) {
    protozero::pbf_reader request = reader_of(message);
    while (request.next()) {
        switch (request.tag()) {
            case request_field::kSymbols:
                add_bounded(buffers.symbols, bytes_of(request, "Request.symbols"),
                            kRemoteWriteSymbolsMax, "symbols");
                break;
            case request_field::kTimeseries:
                add_bounded(buffers.messages, bytes_of(request, "Request.timeseries"),
                            kRemoteWriteSeriesMax, "series");
                break;
            default:
                // Passing these over would lose what a mistaken sender has to say.
                if (request.tag() <= request_field::kVersion1Max) {
                    throw WrongFieldType("a field of version 1 in a request of version 2");
                }
                request.skip();
        }
    }
    SeriesReader reader(buffers);
    for (const std::string_view series : buffers.messages) {
        reader.read(series);
    }
}

}  // namespace kpid::wire
