#pragma once
// The durable log under the storage: the seam that tests make fail.

#include "kpid/base/result.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// The parts of a log, each ordered by the bytes of its keys.
enum class LogTable { kSeries, kChunks, kSamples, kState };

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

/// Called once for every entry; an error ends the replay.
using LogVisitor =
    std::function<Result<void>(LogTable table, std::string_view key, std::string_view value)>;

/// Ordered tables on disk that are written in atomic batches. Not thread-safe: the storage calls
/// replay() before its committer starts and write() only from it. Closing (the destructor) syncs
/// what was written.
class Log {
public:
    virtual ~Log() = default;
    /// Survives the end of the process when it returns; with `sync` a power cut too. Blocks. After
    /// an error (kUnavailable) the log may be called again: it tries to recover first, and nothing
    /// of the failed batch is promised to be there or not to be there.
    [[nodiscard]] virtual Result<void> write(const LogBatch& batch, bool sync) = 0;
    /// Every entry: first all of kSeries, then kChunks, kSamples and kState, in order of key.
    [[nodiscard]] virtual Result<void> replay(const LogVisitor& visitor) = 0;
};

/// Opens the log in a folder.
using LogOpener = std::function<Result<std::unique_ptr<Log>>(const std::string& path)>;

/// The real one: RocksDB with its write-ahead log. Errors name the path and the flag
/// --storage.path: kUnavailable (cannot be written, or another process has it), kUnsupported
/// (written by a newer version), kDataLoss.
[[nodiscard]] Result<std::unique_ptr<Log>> open_rocks_log(const std::string& path);

}  // namespace kpid::storage
