#pragma once
// Sealed chunks and versions on the disk.

#include "kpid/base/mutex.h"
#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "kpid/storage/log.h"
#include "storage/counters.h"
#include "storage/record.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// An entry whose bytes are not what was written, or cannot be had.
struct DamagedEntry {
    /// What becomes of it.
    enum class Aside : std::uint8_t {
        kMove,    ///< It goes to the quarantine, if it is still damaged then.
        kTake,    ///< The same unseen: it was read more than once.
        kCopy,    ///< The quarantine has it too: a part of it is of use.
        kErase,   ///< It goes uncounted: it may never have been there.
        kReport,  ///< Neighbours of it cannot be read either; it stays where it is.
    };
    LogTable table = LogTable::kChunks;
    std::string key;
    std::string value;
    std::string what;  ///< For people.
    Aside aside = Aside::kMove;
    std::optional<std::string> replacement = {};  ///< What stands there then; none: nothing.
};

/// A sound chunk; the bytes are borrowed.
struct ChunkOnDisk {
    Timestamp first;
    Timestamp last;
    std::size_t count = 0;
    std::string_view bytes;
};

/// Thread-safe. Damaged entries are remembered, so that the committer can set them aside, and
/// answered with kDataLoss; so are places that the log cannot read, which are reported once.
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
    /// Remembers it; the error to answer with.
    Error note_damaged(LogTable table, std::string_view key, std::string_view value,
                       SeriesId series, const Error& why) const KPID_EXCLUDES(mutex_);
    Error note_damaged(SeriesId series, const ChunkOnDisk& chunk, const Error& why) const {
        return note_damaged(LogTable::kChunks, encode_time_key(series, chunk.last), chunk.bytes,
                            series, why);
    }
    [[nodiscard]] std::vector<DamagedEntry> take_damaged() const KPID_EXCLUDES(mutex_);
    /// For those that could not be set aside now.
    void put_back(std::span<const DamagedEntry> damaged) const KPID_EXCLUDES(mutex_);
    /// Reads the entry again, a damaged value replaces `entry.value`. One that the log cannot read
    /// now is not known to be damaged. Errors other than kDataLoss.
    [[nodiscard]] Result<bool> is_still_damaged(DamagedEntry& entry) const;

private:
    void remember(DamagedEntry entry) const KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> scan(LogTable table, SeriesId series, std::string_view begin,
                                    std::string_view end, const LogVisitor& visit) const
        KPID_EXCLUDES(mutex_);

    const Log& log_;
    Counters& counters_;
    mutable Mutex mutex_;
    mutable std::vector<DamagedEntry> damaged_ KPID_GUARDED_BY(mutex_);
    mutable std::set<std::string, std::less<>> reported_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::storage
