#pragma once
// Prometheus remote write, versions 1.0 and 2.0: the body of a request as series and samples.

#include "kpid/base/result.h"
#include "kpid/model/appender.h"
#include "kpid/model/metadata.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

/// Bytes of a body once it is unpacked; checked before anything is allocated.
inline constexpr std::size_t kRemoteWriteBytesMax = std::size_t{32} << 20U;
/// Entries of one request. Senders batch some thousand samples; these bound what a body of many
/// empty messages costs.
inline constexpr std::size_t kRemoteWriteSeriesMax = 500'000;
inline constexpr std::size_t kRemoteWriteSamplesMax = 2'000'000;
inline constexpr std::size_t kRemoteWriteExemplarsMax = 500'000;
inline constexpr std::size_t kRemoteWriteMetadataMax = 100'000;
inline constexpr std::size_t kRemoteWriteSymbolsMax = 500'000;
/// Labels of one series; one with more is refused. The store has its own, lower limit.
inline constexpr std::size_t kRemoteWriteLabelsMax = 1024;
/// What the label sets of a version 2 request may take when the symbols are put in.
inline constexpr std::size_t kRemoteWriteLabelBytesMax = std::size_t{64} << 20U;

enum class RemoteWriteVersion { kV1, kV2 };
/// From a Content-Type: "application/x-protobuf" without or with `proto=prometheus.WriteRequest` is
/// version 1, with `proto=io.prometheus.write.v2.Request` version 2, an empty one version 1;
/// nothing for every other.
[[nodiscard]] std::optional<RemoteWriteVersion> remote_write_version_of(
    std::string_view content_type);

/// One exemplar of a series. Borrowed from the decoder.
struct RemoteWriteExemplar {
    std::string_view label_bytes;  ///< In the form of a series' labels.
    double value = 0;
    Timestamp time;
    std::string_view problem = {};  ///< Why the labels cannot be had; else empty.
};

/// One series of a request. Borrowed from the decoder.
struct RemoteWriteSeries {
    /// The labels as version 1 writes them on the wire: `Label` messages with their tags and sizes,
    /// one after the other, in the sender's order; version 2 is brought into the same form. Equal
    /// bytes are equal labels (not the other way round): fit to be hashed and looked up unread.
    std::string_view label_bytes;
    std::span<const model::Sample> samples;          ///< In the sender's order; NaN bits as sent.
    std::span<const RemoteWriteExemplar> exemplars;  ///< In the sender's order.
    std::size_t native_histograms = 0;               ///< How many came; not read.
    /// Why the labels cannot be had (version 2: a reference beyond the symbols); else empty.
    std::string_view problem = {};
};

/// What a sender says of a metric family. Borrowed from the decoder.
struct RemoteWriteMetadata {
    std::string_view family;  ///< Version 2: the name of the series that it came with.
    model::MetricType type = model::MetricType::kUnknown;
    std::string_view help = {};
    std::string_view unit = {};
};

/// A decoded request. Borrowed from the decoder.
struct RemoteWriteRequest {
    std::span<const RemoteWriteSeries> series;
    std::span<const RemoteWriteMetadata> metadata;
    std::size_t samples = 0;  ///< Of all series.
    std::size_t exemplars = 0;
    std::size_t native_histograms = 0;
};

/// Unpacks and decodes bodies, one after the other, into buffers that it keeps: known sizes cost no
/// allocation. Labels are not read. Not thread-safe: one decoder a thread at a time.
class RemoteWriteDecoder {
public:
    RemoteWriteDecoder();
    ~RemoteWriteDecoder();
    RemoteWriteDecoder(RemoteWriteDecoder&&) noexcept;
    RemoteWriteDecoder& operator=(RemoteWriteDecoder&&) noexcept;

    /// `body` is one snappy block. The answer is valid until the next call. kInvalidArgument for
    /// damaged snappy or protobuf (cut short, a known field of another type); kResourceExhausted
    /// when one of the limits above is passed. Unknown fields are passed over, absent ones are 0.
    [[nodiscard]] Result<RemoteWriteRequest> decode(std::string_view body,
                                                    RemoteWriteVersion version);
    /// The same for a message that is not packed; the answer borrows from it too.
    [[nodiscard]] Result<RemoteWriteRequest> decode_message(std::string_view message,
                                                            RemoteWriteVersion version);

    struct Buffers;

private:
    std::unique_ptr<Buffers> buffers_;
};

/// A label as it was sent. Borrowed from the label bytes.
using model::LabelView;

/// Replaces `labels` by what the bytes of a series hold, in the sender's order. kInvalidArgument
/// for damaged bytes or more than kRemoteWriteLabelsMax labels.
[[nodiscard]] Result<void> read_labels(std::string_view label_bytes,
                                       std::vector<LabelView>& labels);

/// Reads label bytes for the store: sorted, without labels that have no value; refused are damaged
/// bytes, a label twice and one without a name. Keeps nothing.
class RemoteWriteLabelReader final : public model::LabelReader {
public:
    [[nodiscard]] Result<void> read(std::string_view bytes,
                                    std::vector<LabelView>& labels) const override;
    [[nodiscard]] bool reads_as(std::string_view bytes,
                                std::span<const LabelView> labels) const override;
};

/// A series whose samples cannot be used.
struct RemoteWriteRefusal {
    std::size_t series = 0;   ///< Index into the request's series.
    std::size_t samples = 0;  ///< How many samples it has.
    std::string message;      ///< Names the series.
};

/// A request as the appender takes it. Owns everything.
struct RemoteWriteSamples {
    std::vector<model::SeriesSample> samples;
    std::vector<std::size_t> series;          ///< Entry i: the series that samples[i] is of.
    std::vector<RemoteWriteRefusal> refused;  ///< In the order of the series.
};
/// Builds the label sets of all series that have samples. Refused are series whose labels cannot be
/// read, with a label twice or one without a name; labels without a value are left out.
[[nodiscard]] RemoteWriteSamples series_samples(const RemoteWriteRequest& request);

}  // namespace kpid::wire
