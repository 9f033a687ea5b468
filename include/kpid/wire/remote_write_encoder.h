#pragma once
// Prometheus remote write 1.0, the sending side: samples and metadata as bodies of requests.

#include "kpid/model/metadata.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <span>
#include <string>

namespace kpid::wire {

/// A body ready to be posted.
struct RemoteWriteBody {
    std::string packed;           ///< One snappy block.
    std::size_t count = 0;        ///< How many samples or families it holds, from the first on.
    std::size_t plain_bytes = 0;  ///< Before it was packed.
};

/// A WriteRequest with as many of the samples, from the first on, as fit in `plain_bytes_max`; at
/// least one. Series stand in the order of their first sample, labels in the order of their names,
/// and the samples of a series in the order they are given, with every bit of their values: equal
/// samples make equal bytes.
///
///     while (!samples.empty()) {
///         const RemoteWriteBody body = encode_remote_write(samples, 1U << 20U);
///         samples = samples.subspan(body.count);
///     }
[[nodiscard]] RemoteWriteBody encode_remote_write(std::span<const model::SeriesSample> samples,
                                                  std::size_t plain_bytes_max);

/// The same with metadata of families and no series.
[[nodiscard]] RemoteWriteBody encode_remote_write(std::span<const model::MetricMetadata> families,
                                                  std::size_t plain_bytes_max);

}  // namespace kpid::wire
