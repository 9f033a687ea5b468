// WriteRequest of remote write 1.0.
#include "wire/remote_write_buffers.h"

namespace kpid::wire {
namespace {

using Buffers = RemoteWriteDecoder::Buffers;
using protozero::pbf_tag_type;
using protozero::pbf_wire_type;

namespace request_field {
constexpr pbf_tag_type kTimeseries = 1;
constexpr pbf_tag_type kMetadata = 3;
}  // namespace request_field

namespace series_field {
constexpr pbf_tag_type kLabels = 1;
constexpr pbf_tag_type kSamples = 2;
constexpr pbf_tag_type kExemplars = 3;
constexpr pbf_tag_type kHistograms = 4;
}  // namespace series_field

namespace metadata_field {
constexpr pbf_tag_type kType = 1;
constexpr pbf_tag_type kFamily = 2;
constexpr pbf_tag_type kHelp = 4;
constexpr pbf_tag_type kUnit = 5;
}  // namespace metadata_field

// The label messages of one series or exemplar: a piece of the body as long as they follow each
// other there, else a copy in the arena.
class LabelRegion {
public:
    LabelRegion(Buffers& buffers, Buffers::ArenaPiece& moved) : buffers_(buffers), moved_(moved) {}

    // A label with its tag and size, from `first` up to `end`.
    void add(const char* first, const char* end) {
        if (moved_.offset != Buffers::kNotInArena) {
            copy({first, end});
        } else if (begin_ == nullptr) {
            begin_ = first;
            end_ = end;
        } else if (end_ == first) {
            end_ = end;
        } else {
            moved_.offset = buffers_.arena.size();
            copy({begin_, end_});
            copy({first, end});
        }
    }
    // The first of them when they lie in the arena.
    [[nodiscard]] std::string_view piece() const { return {begin_, end_}; }

private:
    void copy(std::string_view bytes) {
        buffers_.arena.insert(buffers_.arena.end(), bytes.begin(), bytes.end());
        moved_.size += bytes.size();
    }

    Buffers& buffers_;
    Buffers::ArenaPiece& moved_;
    const char* begin_ = nullptr;
    const char* end_ = nullptr;
};

// Bytes of the short label messages at the front: nearly always all labels there are.
std::size_t short_labels(std::string_view bytes) {
    constexpr char kTag = 0x0a;  // kLabels, length-delimited
    constexpr std::size_t kHead = 2;
    constexpr std::size_t kLong = 0x80;
    std::size_t at = 0;
    while (bytes.size() - at >= kHead && bytes[at] == kTag) {
        const std::size_t size = static_cast<unsigned char>(bytes[at + 1]);
        if (size >= kLong || size > bytes.size() - at - kHead) {
            break;
        }
        at += kHead + size;
    }
    return at;
}

void read_exemplar_v1(std::string_view bytes, Buffers& buffers) {
    Buffers::ArenaPiece moved;
    LabelRegion labels(buffers, moved);
    RemoteWriteExemplar one =
        read_exemplar(bytes, [&labels](protozero::pbf_reader& exemplar, const char* first) {
            want(exemplar, pbf_wire_type::length_delimited, "Exemplar.labels");
            exemplar.skip();
            labels.add(first, exemplar.data().data());
        });
    one.label_bytes = labels.piece();
    add_exemplar(one, moved, buffers);
}

void read_series(std::string_view bytes, Buffers& buffers) {
    RemoteWriteSeries one;
    Buffers::Extent extent{.first_sample = buffers.samples.size(),
                           .first_exemplar = buffers.exemplars.size()};
    buffers.exemplar_messages.clear();
    LabelRegion labels(buffers, extent.labels);
    if (const std::size_t size = short_labels(bytes); size > 0) {
        labels.add(bytes.data(), bytes.data() + size);
        bytes.remove_prefix(size);
    }
    protozero::pbf_reader series = reader_of(bytes);
    const char* first = series.data().data();
    while (series.next()) {
        switch (series.tag()) {
            case series_field::kLabels:
                want(series, pbf_wire_type::length_delimited, "TimeSeries.labels");
                series.skip();
                labels.add(first, series.data().data());
                break;
            case series_field::kSamples:
                read_sample(bytes_of(series, "TimeSeries.samples"), buffers);
                break;
            case series_field::kExemplars:
                buffers.exemplar_messages.push_back(bytes_of(series, "TimeSeries.exemplars"));
                break;
            case series_field::kHistograms:
                want(series, pbf_wire_type::length_delimited, "TimeSeries.histograms");
                series.skip();
                ++one.native_histograms;
                break;
            default:
                series.skip();
        }
        first = series.data().data();
    }
    one.label_bytes = labels.piece();
    // After the series' own labels: what of these lies in the arena lies there in one piece.
    for (const std::string_view exemplar : buffers.exemplar_messages) {
        read_exemplar_v1(exemplar, buffers);
    }
    extent.sample_count = buffers.samples.size() - extent.first_sample;
    extent.exemplar_count = buffers.exemplars.size() - extent.first_exemplar;
    add_bounded(buffers.series, one, kRemoteWriteSeriesMax, "series");
    buffers.extents.push_back(extent);
}

void read_metadata(std::string_view bytes, Buffers& buffers) {
    RemoteWriteMetadata one;
    protozero::pbf_reader metadata = reader_of(bytes);
    while (metadata.next()) {
        switch (metadata.tag()) {
            case metadata_field::kType:
                want(metadata, pbf_wire_type::varint, "MetricMetadata.type");
                one.type = metric_type_of(metadata.get_enum());
                break;
            case metadata_field::kFamily:
                one.family = bytes_of(metadata, "MetricMetadata.metric_family_name");
                break;
            case metadata_field::kHelp:
                one.help = bytes_of(metadata, "MetricMetadata.help");
                break;
            case metadata_field::kUnit:
                one.unit = bytes_of(metadata, "MetricMetadata.unit");
                break;
            default:
                metadata.skip();
        }
    }
    add_bounded(buffers.metadata, one, kRemoteWriteMetadataMax, "metadata entries");
}

}  // namespace

void read_request_v1(std::string_view message, Buffers& buffers) {
    protozero::pbf_reader request = reader_of(message);
    while (request.next()) {
        switch (request.tag()) {
            case request_field::kTimeseries:
                read_series(bytes_of(request, "WriteRequest.timeseries"), buffers);
                break;
            case request_field::kMetadata:
                read_metadata(bytes_of(request, "WriteRequest.metadata"), buffers);
                break;
            default:
                request.skip();
        }
    }
}

}  // namespace kpid::wire
