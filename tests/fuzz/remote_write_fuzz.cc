// Remote write: nothing crashes, limits hold, every sample is delivered or refused, and what was
// read is the same after it was written and read again. The first byte chooses the version and
// whether the rest is packed.

#include "kpid/base/assert.h"
#include "kpid/wire/remote_write.h"
#include "kpid/wire/remote_write_encoder.h"

#include <bit>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

using namespace kpid::wire;

namespace {

using Content = std::map<kpid::model::Labels, std::vector<std::pair<std::int64_t, std::uint64_t>>>;

Content content_of(const std::vector<kpid::model::SeriesSample>& samples) {
    Content content;
    for (const auto& sample : samples) {
        content[sample.labels].emplace_back(sample.time.ms(),
                                            std::bit_cast<std::uint64_t>(sample.value));
    }
    return content;
}

void check_round_trip(const std::vector<kpid::model::SeriesSample>& samples) {
    const RemoteWriteBody body = encode_remote_write(samples, kRemoteWriteBytesMax);
    if (body.count < samples.size()) {
        return;
    }
    RemoteWriteDecoder decoder;
    const auto request = decoder.decode(body.packed, RemoteWriteVersion::kV1);
    // The labels of a request of version 2 share their texts, and may be too large written out.
    if (request) {
        const RemoteWriteSamples out = series_samples(*request);
        KPID_ASSERT(out.refused.empty());
        KPID_ASSERT(content_of(out.samples) == content_of(samples));
    }
}

void check(const RemoteWriteRequest& request) {
    KPID_ASSERT(request.series.size() <= kRemoteWriteSeriesMax);
    std::size_t samples = 0;
    std::size_t exemplars = 0;
    std::vector<LabelView> labels;
    for (const RemoteWriteSeries& series : request.series) {
        samples += series.samples.size();
        exemplars += series.exemplars.size();
        for (const RemoteWriteExemplar& exemplar : series.exemplars) {
            KPID_ASSERT(exemplar.problem.empty() || exemplar.label_bytes.empty());
            static_cast<void>(read_labels(exemplar.label_bytes, labels));
        }
        KPID_ASSERT(series.problem.empty() || series.label_bytes.empty());
        if (read_labels(series.label_bytes, labels)) {
            std::size_t bytes = 0;
            for (const LabelView& label : labels) {
                bytes += label.name.size() + label.value.size();
            }
            KPID_ASSERT(bytes <= series.label_bytes.size());
        }
    }
    KPID_ASSERT(samples == request.samples);
    KPID_ASSERT(exemplars == request.exemplars && exemplars <= kRemoteWriteExemplarsMax);
    const RemoteWriteSamples out = series_samples(request);
    KPID_ASSERT(out.samples.size() == out.series.size());
    std::size_t refused = 0;
    for (const RemoteWriteRefusal& refusal : out.refused) {
        refused += refusal.samples;
    }
    KPID_ASSERT(out.samples.size() + refused == request.samples);
    check_round_trip(out.samples);
    for (const auto& sample : out.samples) {
        for (const auto& label : sample.labels) {
            KPID_ASSERT(!label.name.empty() && !label.value.empty());
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto version = (data[0] & 1) == 0 ? RemoteWriteVersion::kV1 : RemoteWriteVersion::kV2;
    RemoteWriteDecoder decoder;
    const auto request = (data[0] & 2) == 0 ? decoder.decode(bytes, version)
                                            : decoder.decode_message(bytes, version);
    if (request) {
        check(*request);
    }
    return 0;
}
