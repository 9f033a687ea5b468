#pragma once
// What RocksDB's own threads call: the rule of what may go, and what went well or wrong behind the
// writers' backs. Only rocks_*.cc include this.

#include "kpid/base/mutex.h"
#include "kpid/storage/log.h"

#include <rocksdb/compaction_filter.h>
#include <rocksdb/listener.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace kpid::storage {

/// The column family that holds a table; the first family, "default", holds the format alone.
[[nodiscard]] inline std::string family_name(LogTable table) {
    return std::string(to_string(table));
}

/// Counts that outlive a database that is closed and opened anew. Thread-safe.
struct RocksCounters {
    std::atomic<std::uint64_t> background_errors_total = 0;
    std::atomic<std::uint64_t> compaction_written_bytes_total = 0;
    /// Bit i: a compaction of the i-th of kLogTables met damaged bytes and must not go on for ever.
    std::atomic<std::uint32_t> damaged_tables = 0;
};

/// Counts, and keeps damage that a compaction finds from ending all writes: nothing has been lost
/// by finding it, and what is new goes to other files.
class RocksEvents final : public rocksdb::EventListener {
public:
    explicit RocksEvents(std::shared_ptr<RocksCounters> counters)
        : counters_(std::move(counters)) {}

    void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override;
    void OnCompactionCompleted(rocksdb::DB* database,
                               const rocksdb::CompactionJobInfo& job) override;

private:
    const std::shared_ptr<RocksCounters> counters_;
};

/// The rule in force. Thread-safe.
class RocksDropRule {
public:
    void set(LogDropRule rule) {
        auto shared = std::make_shared<const LogDropRule>(std::move(rule));
        const MutexLock lock(mutex_);
        rule_ = std::move(shared);
    }
    /// Null, or an empty function: nothing goes.
    [[nodiscard]] std::shared_ptr<const LogDropRule> get() const {
        const MutexLock lock(mutex_);
        return rule_;
    }

private:
    mutable Mutex mutex_;
    std::shared_ptr<const LogDropRule> rule_ KPID_GUARDED_BY(mutex_);
};

/// Asks the rule, as it stands when a compaction of that table begins.
class RocksDropFilterFactory final : public rocksdb::CompactionFilterFactory {
public:
    RocksDropFilterFactory(LogTable table, std::shared_ptr<const RocksDropRule> rule)
        : table_(table), rule_(std::move(rule)) {}

    std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
        const rocksdb::CompactionFilter::Context& context) override;
    [[nodiscard]] const char* Name() const override { return "kpid.drop"; }

private:
    const LogTable table_;
    const std::shared_ptr<const RocksDropRule> rule_;
};

}  // namespace kpid::storage
