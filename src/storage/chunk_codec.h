#pragma once
// The bytes of a sealed chunk: some samples of one series, compressed as far as pays (format in
// README.md).

#include "kpid/base/result.h"
#include "kpid/base/time.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// Samples of one chunk, written or read; so bounded is what damaged bytes can allocate. Chunks
/// of 480 samples or more are within a few percent of what longer ones cost a sample.
inline constexpr std::size_t kChunkSamplesMax = 65'536;

/// What a chunk's samples are.
enum class ChunkKind : std::uint8_t {
    kFloat = 0,           ///< Doubles.
    kHistogram = 1,       ///< Native histograms with integer counts; no reader yet.
    kFloatHistogram = 2,  ///< Native histograms with float counts; no reader yet.
};

/// What the front of a chunk tells.
struct ChunkInfo {
    ChunkKind kind = ChunkKind::kFloat;
    std::size_t count = 0;  ///< 1 to kChunkSamplesMax.
    Timestamp first;
    Timestamp last;  ///< Not before `first`.
};

/// Appends one chunk to `out`. `times` and `values` are equally long, 1 to kChunkSamplesMax;
/// times ascend, equal ones may follow each other. Every bit of every value comes back. Costs
/// about 8 bytes a sample at most, and memory of 40 bytes a sample while it works. The same
/// samples give the same bytes.
void append_chunk(std::span<const Timestamp> times, std::span<const double> values,
                  std::string& out);
/// The same as a string of its own.
[[nodiscard]] std::string encode_chunk(std::span<const Timestamp> times,
                                       std::span<const double> values);

/// Appends a chunk's samples to both columns, which were equally long. The bytes are one whole
/// chunk: kDataLoss with what is wrong when they are damaged, kUnsupported when a newer program
/// wrote them or they hold what is not read yet; the columns are then as before.
[[nodiscard]] Result<void> decode_chunk(std::string_view bytes, std::vector<Timestamp>& times,
                                        std::vector<double>& values);

/// Count and times without the samples; checks the checksum, so it reads every byte. Errors as
/// decode_chunk().
[[nodiscard]] Result<ChunkInfo> read_chunk_header(std::string_view bytes);

/// Bytes at a chunk's end that hold chunk_checksum() of all before, lowest first.
inline constexpr std::size_t kChunkChecksumBytes = 4;
[[nodiscard]] std::uint32_t chunk_checksum(std::string_view bytes_before);

}  // namespace kpid::storage
