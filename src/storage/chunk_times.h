#pragma once
// The times of a chunk as bytes: an interval when it is one, else a column of numbers (format in
// README.md).

#include "kpid/base/time.h"
#include "storage/chunk_bytes.h"

#include <span>
#include <string>

namespace kpid::storage {

/// Whether each is as long after the one before.
[[nodiscard]] bool is_regular(std::span<const Timestamp> times);
/// Appends what read_irregular_times() reads: times that ascend, at least two.
void append_irregular_times(std::span<const Timestamp> times, std::string& out);
/// Fills `times`, of which the first and the last are known. kDataLoss when the bytes do not lead
/// from one to the other, or not upwards.
[[nodiscard]] Result<void> read_irregular_times(ChunkReader& reader, Timestamp first,
                                                Timestamp last, std::span<Timestamp> times);
/// Fills `times` from `first` on.
void fill_regular_times(Timestamp first, std::uint64_t interval, std::span<Timestamp> times);

}  // namespace kpid::storage
