#pragma once
// The bytes of the log: keys, sample records and series definitions (grammar in README.md).

#include "kpid/base/result.h"
#include "kpid/base/strong.h"
#include "kpid/model/labels.h"
#include "kpid/model/sample.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// A series within one log; given out in ascending order. Two may stand for one label set, never
/// the reverse.
using SeriesId = Strong<struct SeriesIdTag, std::uint64_t>;

/// One sample as the log knows it.
struct RecordSample {
    SeriesId series;
    Timestamp time;
    double value = 0;
};

/// Samples of one record; a longer group is split.
inline constexpr std::size_t kRecordSamplesMax = 65'536;
/// Labels of one definition that are read back.
inline constexpr std::size_t kDefinitionLabelsMax = 65'536;

/// Eight bytes, most significant first: bytewise order is the order of numbers.
[[nodiscard]] std::string encode_key(std::uint64_t number);
/// kDataLoss when it is not eight bytes long.
[[nodiscard]] Result<std::uint64_t> decode_key(std::string_view key);

/// Of a chunk: sixteen bytes, in order of series, then of the first time.
[[nodiscard]] std::string encode_chunk_key(SeriesId series, Timestamp first);
/// The series; kDataLoss when it is not sixteen bytes long.
[[nodiscard]] Result<SeriesId> decode_chunk_key(std::string_view key);

/// At most kRecordSamplesMax samples; values keep their bits.
[[nodiscard]] std::string encode_samples(std::span<const RecordSample> samples);
/// kDataLoss when the bytes are not one whole record, kUnsupported when its version is newer.
[[nodiscard]] Result<std::vector<RecordSample>> decode_samples(std::string_view bytes);

[[nodiscard]] std::string encode_definition(const model::Labels& labels);
/// As decode_samples().
[[nodiscard]] Result<model::Labels> decode_definition(std::string_view bytes);

}  // namespace kpid::storage
