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
    void read_references(protozero::pbf_reader& message, const char* field);
    void find_metric_name();
    void add_reference(std::uint32_t reference);
    [[nodiscard]] Buffers::ArenaPiece build_labels(std::string_view& problem);
    void read_exemplar_v2(std::string_view bytes);
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

// One beyond the limit is kept, so that build_labels() sees it.
void SeriesReader::add_reference(std::uint32_t reference) {
    if (buffers_.references.size() <= 2 * kRemoteWriteLabelsMax) {
        buffers_.references.push_back(reference);
    }
}

void SeriesReader::read_references(protozero::pbf_reader& message, const char* field) {
    if (message.wire_type() == pbf_wire_type::varint) {  // not packed, which is as good
        add_reference(message.get_uint32());
        return;
    }
    want(message, pbf_wire_type::length_delimited, field);
    for (const std::uint32_t reference : message.get_packed_uint32()) {
        add_reference(reference);
    }
}

// Writes the labels that the references name into the arena as version 1 has them; a problem where
// that cannot be done.
Buffers::ArenaPiece SeriesReader::build_labels(std::string_view& problem) {
    const std::vector<std::uint32_t>& references = buffers_.references;
    if (references.size() > 2 * kRemoteWriteLabelsMax) {
        problem = kTooManyLabels;
    } else if (references.size() % 2 != 0) {
        problem = kOddReferences;
    } else if (std::any_of(references.begin(), references.end(), [this](std::uint32_t reference) {
                   return reference >= buffers_.symbols.size();
               })) {
        problem = kUnknownReference;
    }
    if (!problem.empty()) {
        return {};
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < references.size(); i += 2) {
        const LabelView one = label(i);
        const std::size_t inner = label_size(one);
        size += 1 + varint_size(inner) + inner;
    }
    std::vector<char>& arena = buffers_.arena;
    if (arena.size() + size > kRemoteWriteLabelBytesMax) {
        throw LimitPassed("bytes of labels", kRemoteWriteLabelBytesMax);
    }
    const Buffers::ArenaPiece piece{.offset = arena.size(), .size = size};
    arena.resize(arena.size() + size);
    char* out = arena.data() + piece.offset;
    for (std::size_t i = 0; i < references.size(); i += 2) {
        out = put_label(out, label(i));
    }
    return piece;
}

void SeriesReader::read_exemplar_v2(std::string_view bytes) {
    buffers_.references.clear();
    RemoteWriteExemplar one =
        read_exemplar(bytes, [this](protozero::pbf_reader& exemplar, const char*) {
            read_references(exemplar, "Exemplar.labels_refs");
        });
    const Buffers::ArenaPiece labels = build_labels(one.problem);
    add_exemplar(one, labels, buffers_);
}

// Before the references are another's.
void SeriesReader::find_metric_name() {
    for (std::size_t i = 0; i + 1 < buffers_.references.size(); i += 2) {
        if (label(i).name == model::kMetricName) {
            metric_name_ = label(i).value;
        }
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
    extent_ = {.first_sample = buffers_.samples.size(),
               .first_exemplar = buffers_.exemplars.size()};
    metric_name_ = {};
    buffers_.references.clear();
    std::string_view metadata;
    std::vector<std::string_view>& exemplars = buffers_.exemplar_messages;
    exemplars.clear();
    protozero::pbf_reader series = reader_of(bytes);
    while (series.next()) {
        switch (series.tag()) {
            case series_field::kLabels:
                read_references(series, "TimeSeries.labels_refs");
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
                exemplars.push_back(bytes_of(series, "TimeSeries.exemplars"));
                break;
            case series_field::kMetadata:
                metadata = bytes_of(series, "TimeSeries.metadata");
                break;
            default:
                series.skip();
        }
    }
    extent_.labels = build_labels(one_.problem);
    if (one_.problem.empty()) {
        find_metric_name();
    }
    read_metadata(metadata);
    // After the series' own labels: both use the list of references.
    for (const std::string_view exemplar : exemplars) {
        read_exemplar_v2(exemplar);
    }
    extent_.sample_count = buffers_.samples.size() - extent_.first_sample;
    extent_.exemplar_count = buffers_.exemplars.size() - extent_.first_exemplar;
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
