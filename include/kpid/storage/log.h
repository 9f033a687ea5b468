#pragma once
// The durable log under the storage: the seam that tests make fail.

#include "kpid/base/result.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// The parts of a log, each ordered by the bytes of its keys.
enum class LogTable {
    kSeries,      ///< Definitions.
    kChunks,      ///< Sealed chunks.
    kOpen,        ///< Of each series the chunk that still grows.
    kVersions,    ///< Values of totals and events, each with the time it came in.
    kSamples,     ///< Records of what was appended since the chunks were written.
    kState,       ///< The state store.
    kQuarantine,  ///< What was found damaged, as it was found.
};
inline constexpr std::array kLogTables{
    LogTable::kSeries,  LogTable::kChunks, LogTable::kOpen,       LogTable::kVersions,
    LogTable::kSamples, LogTable::kState,  LogTable::kQuarantine,
};
/// As a label value: "series", "chunks", …
[[nodiscard]] std::string_view to_string(LogTable table);

/// A value put, or the key erased when there is none.
struct LogEntry {
    LogTable table = LogTable::kSamples;
    std::string key;
    std::optional<std::string> value;
};

/// Erases every key of `table` that is at least `begin` and less than `end`.
struct LogErasure {
    LogTable table = LogTable::kSamples;
    std::string begin;
    std::string end;
};

/// What is written together, all of it or nothing: first the erasures, then the entries in order.
struct LogBatch {
    std::vector<LogEntry> entries;
    std::vector<LogErasure> erasures;

    [[nodiscard]] bool empty() const { return entries.empty() && erasures.empty(); }
};

/// Called for one entry after the other; false, or an error, ends the scan.
using LogVisitor = std::function<Result<bool>(std::string_view key, std::string_view value)>;

/// Whether an entry may go when the disk is tidied; called on threads of the log's own.
using LogDropRule =
    std::function<bool(LogTable table, std::string_view key, std::string_view value)>;

/// What a log takes on the disk, and how it fares. Entries are those of kLogTables.
struct LogStats {
    std::array<std::uint64_t, kLogTables.size()> table_bytes{};  ///< Files of each table.
    std::uint64_t write_ahead_bytes = 0;  ///< Files that a start would read again.
    std::uint64_t memory_bytes = 0;       ///< Buffers and caches.
    std::uint64_t compactions_running = 0;
    std::uint64_t compaction_pending_bytes = 0;
    std::uint64_t compaction_written_bytes_total = 0;
    std::uint64_t background_errors_total = 0;
};

/// Ordered tables on disk that are written in atomic batches. Closing (the destructor) syncs what
/// was written. Threads: write() and snapshot() by one at a time; all else by any, beside them.
class Log {
public:
    virtual ~Log() = default;
    /// Survives the end of the process when it returns; with `sync` a power cut too. Blocks. After
    /// an error (kUnavailable) the log may be called again: it tries to recover first, and nothing
    /// of the failed batch is promised to be there or not to be there.
    [[nodiscard]] virtual Result<void> write(const LogBatch& batch, bool sync) = 0;
    /// The entries of `table` from `begin` up to, but without, `end` (empty: to the last), in order
    /// of key, as they stand when the call begins. kDataLoss when the disk's bytes are damaged,
    /// kUnavailable when they cannot be had now; else the visitor's error. The visitor does not
    /// call the log, unless nobody else can yet.
    [[nodiscard]] virtual Result<void> scan(LogTable table, std::string_view begin,
                                            std::string_view end,
                                            const LogVisitor& visitor) const = 0;
    /// Errors as scan().
    [[nodiscard]] virtual Result<std::optional<std::string>> get(LogTable table,
                                                                 std::string_view key) const = 0;
    /// A copy of everything written so far in a new folder, which must not exist: hard links where
    /// the file system has them. A log can be opened there. kUnavailable.
    [[nodiscard]] virtual Result<void> snapshot(const std::string& folder) = 0;
    /// Entries for which the rule holds vanish some time: at the latest about a day later, or by
    /// tidy(). Readers may see them until then. Replaces the rule before.
    virtual void set_drop_rule(LogDropRule rule) = 0;
    /// Gives the disk back what erased and dropped entries of the table take. May take minutes;
    /// writes go on meanwhile. kUnavailable, kDataLoss.
    [[nodiscard]] virtual Result<void> tidy(LogTable table) = 0;
    [[nodiscard]] virtual LogStats stats() const = 0;
    /// What opening found damaged and went on without, one sentence each, since the last call.
    /// Thread-safe.
    [[nodiscard]] virtual std::vector<std::string> take_damage_reports() { return {}; }
};

/// Opens the log in a folder.
using LogOpener = std::function<Result<std::unique_ptr<Log>>(const std::string& path)>;

/// The real one: RocksDB with its write-ahead log. Errors name the path and the flag
/// --storage.path: kUnavailable (cannot be written, or another process has it), kUnsupported
/// (written by a newer version), kDataLoss (names the files that are damaged or missing).
[[nodiscard]] Result<std::unique_ptr<Log>> open_rocks_log(const std::string& path);

}  // namespace kpid::storage
