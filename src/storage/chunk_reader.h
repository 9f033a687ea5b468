#pragma once
// Sealed chunks and versions on the disk.

#include "kpid/base/mutex.h"
#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "kpid/storage/log.h"
#include "storage/counters.h"
#include "storage/record.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// An entry whose bytes are not what was written.
struct DamagedEntry {
    LogTable table = LogTable::kChunks;
    std::string key;
    std::string value;
    std::string what;  ///< For people.
};

/// A sound chunk; the bytes are borrowed.
struct ChunkOnDisk {
    Timestamp first;
    Timestamp last;
    std::size_t count = 0;
    std::string_view bytes;
};

/// Thread-safe. Damaged entries are remembered, so that the committer can set them aside, and
/// answered with kDataLoss.
class ChunkReader {
public:
    /// Damaged entries that are remembered.
    static constexpr std::size_t kDamagedMax = 1024;

    ChunkReader(const Log& log, Counters& counters) : log_(log), counters_(counters) {}

    /// Every chunk of the series that touches the range, in order of time; `visit` returns false to
    /// end it.
    [[nodiscard]] Result<void> visit_chunks(
        SeriesId series, model::TimeRange range,
        const std::function<Result<bool>(const ChunkOnDisk&)>& visit) const;
    /// Every version row of the series in the range, in order of time, then of arrival.
    [[nodiscard]] Result<std::vector<VersionRow>> versions(SeriesId series, model::TimeRange range,
                                                           std::size_t limit) const;
    [[nodiscard]] std::vector<DamagedEntry> take_damaged() const KPID_EXCLUDES(mutex_);

private:
    [[nodiscard]] Error note_damaged(LogTable table, std::string_view key, std::string_view value,
                                     SeriesId series, const Error& why) const KPID_EXCLUDES(mutex_);

    const Log& log_;
    Counters& counters_;
    mutable Mutex mutex_;
    mutable std::vector<DamagedEntry> damaged_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::storage
