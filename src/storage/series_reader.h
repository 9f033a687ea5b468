#pragma once
// One series' samples from memory and disk together.

#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "storage/chunk_reader.h"
#include "storage/series_index.h"

#include <cstddef>

namespace kpid::storage {

/// Thread-safe. Reads what stood when a call began: first memory, then from the disk what memory
/// did not have, so that what moves from one to the other meanwhile is seen once.
class SeriesReader {
public:
    SeriesReader(const SeriesIndex& index, const ChunkReader& chunks)
        : index_(index), chunks_(chunks) {}

    /// The samples in the range; `out.labels` stay as they are. kResourceExhausted when there are
    /// more than `limit`; errors of the disk.
    [[nodiscard]] Result<void> read(const MemorySeries& series, model::TimeRange range,
                                    std::optional<Timestamp> known_at, std::size_t limit,
                                    model::SeriesColumns& out) const;

private:
    [[nodiscard]] Result<void> read_chunks(const MemorySeries& series, model::TimeRange range,
                                           std::size_t limit, SampleColumns& out) const;
    [[nodiscard]] Result<void> add_versions(const MemorySeries& series, model::TimeRange range,
                                            std::optional<Timestamp> known_at, std::size_t limit,
                                            SampleColumns& columns) const;

    const SeriesIndex& index_;
    const ChunkReader& chunks_;
};

}  // namespace kpid::storage
