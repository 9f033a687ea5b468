#pragma once
// The log on RocksDB: one column family a table, atomic batches, its write-ahead log. Only
// rocks_*.cc include this.

#include "kpid/base/mutex.h"
#include "kpid/base/shared_mutex.h"
#include "kpid/storage/log.h"
#include "storage/rocks_options.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace kpid::storage {

/// See Log. After a failed write the database is closed and opened anew before the next one: a torn
/// record may stand at the end of the write-ahead log, and what is written behind it would be lost
/// at the next start. Readers that come meanwhile wait for it; running ones are waited for, so a
/// visitor must not call the log.
class RocksLog final : public Log {
public:
    explicit RocksLog(std::string path) : path_(std::move(path)) {}
    ~RocksLog() override;
    RocksLog(const RocksLog&) = delete;
    RocksLog& operator=(const RocksLog&) = delete;

    [[nodiscard]] Result<void> open();

    [[nodiscard]] Result<void> write(const LogBatch& batch, bool sync) override;
    [[nodiscard]] Result<void> scan(LogTable table, std::string_view begin, std::string_view end,
                                    const LogVisitor& visitor) const override;
    [[nodiscard]] Result<std::optional<std::string>> get(LogTable table,
                                                         std::string_view key) const override;
    [[nodiscard]] Result<void> snapshot(const std::string& folder) override;
    void set_drop_rule(LogDropRule rule) override;
    [[nodiscard]] Result<void> tidy(LogTable table) override;
    [[nodiscard]] LogStats stats() const override;
    [[nodiscard]] std::vector<std::string> take_damage_reports() override
        KPID_EXCLUDES(reports_mutex_);

private:
    static constexpr std::size_t kReportsMax = 100;

    // Opening.
    [[nodiscard]] Error open_error(std::string_view why, Code code = Code::kUnavailable) const;
    [[nodiscard]] Result<std::vector<std::string>> check_families() const;
    [[nodiscard]] Result<void> open_locked() KPID_REQUIRES(lock_);
    [[nodiscard]] rocksdb::Status open_database(const std::vector<std::string>& families)
        KPID_REQUIRES(lock_);
    [[nodiscard]] rocksdb::Status make_missing_families(
        const std::vector<rocksdb::ColumnFamilyDescriptor>& missing) KPID_REQUIRES(lock_);
    void note_damage(std::string what) KPID_EXCLUDES(reports_mutex_);
    [[nodiscard]] Result<void> check_format() KPID_REQUIRES(lock_);
    [[nodiscard]] Result<void> put_format() KPID_REQUIRES(lock_);
    void close() KPID_REQUIRES(lock_);

    // Writing.
    [[nodiscard]] Result<void> probe_disk() const;
    [[nodiscard]] Result<void> recover_if_failed();
    [[nodiscard]] Error write_failed(const rocksdb::Status& status);
    [[nodiscard]] rocksdb::WriteBatch& cleared_batch(std::size_t bytes);
    void drop_erased_files(const LogBatch& batch) KPID_REQUIRES_SHARED(lock_);
    [[nodiscard]] bool drop_one_erased_file() KPID_REQUIRES_SHARED(lock_);
    [[nodiscard]] bool has_entries(LogTable table, const std::string& first,
                                   const std::string& last) const KPID_REQUIRES_SHARED(lock_);
    void rest_damaged_tables() KPID_REQUIRES_SHARED(lock_);

    // Reading.
    [[nodiscard]] Error read_error(const rocksdb::Status& status) const;
    [[nodiscard]] Error closed_error() const;
    [[nodiscard]] std::uint64_t write_ahead_bytes() const;
    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(LogTable table) const
        KPID_REQUIRES_SHARED(lock_) {
        return handles_[static_cast<std::size_t>(table) + 1];
    }

    const std::string path_;

    // Synchronises itself.
    RocksParts parts_;
    std::atomic<bool> stop_tidying_ = false;

    // Of the one who writes.
    bool failed_ = false;
    bool synced_since_erasure_ = true;
    std::unique_ptr<rocksdb::WriteBatch> batch_;
    std::size_t batch_bytes_ = 0;  // that it has room for

    Mutex reports_mutex_;
    std::vector<std::string> reports_ KPID_GUARDED_BY(reports_mutex_);

    // Had alone only to close and to open.
    mutable SharedMutex lock_;
    // Null when a recovery could not open it again.
    std::unique_ptr<rocksdb::DB> database_ KPID_GUARDED_BY(lock_);
    // As family_descriptors(); owned by database_.
    std::vector<rocksdb::ColumnFamilyHandle*> handles_ KPID_GUARDED_BY(lock_);
};

}  // namespace kpid::storage
