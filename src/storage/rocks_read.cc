// The log on RocksDB: reading, and how it fares.

#include "storage/rocks_log.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace kpid::storage {
namespace {

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

// Chunks are read by queries, the same ones again; all else is read once.
bool is_read_again(LogTable table) {
    return table == LogTable::kChunks || table == LogTable::kVersions;
}

}  // namespace

Error RocksLog::read_error(const rocksdb::Status& status) const {
    return Error{
        status.IsCorruption() ? Code::kDataLoss : Code::kUnavailable,
        fmt::format("cannot read the storage at {}: {}", path_, status.ToString()),
    };
}

Error RocksLog::closed_error() const {
    return unavailable(fmt::format("the storage at {} could not be opened again", path_));
}

Result<void> RocksLog::scan(LogTable table, std::string_view begin, std::string_view end,
                            const LogVisitor& visitor) const {
    const SharedLock lock(lock_);
    if (database_ == nullptr) {
        return closed_error();
    }
    const rocksdb::Slice bound = slice(end);
    rocksdb::ReadOptions options;
    options.fill_cache = is_read_again(table);
    options.iterate_upper_bound = end.empty() ? nullptr : &bound;
    const std::unique_ptr<rocksdb::Iterator> entry(database_->NewIterator(options, handle(table)));
    for (entry->Seek(slice(begin)); entry->Valid(); entry->Next()) {
        KPID_TRY(const bool more,
                 visitor(entry->key().ToStringView(), entry->value().ToStringView()));
        if (!more) {
            return {};
        }
    }
    if (!entry->status().ok()) {
        return read_error(entry->status());
    }
    return {};
}

Result<std::optional<std::string>> RocksLog::get(LogTable table, std::string_view key) const {
    const SharedLock lock(lock_);
    if (database_ == nullptr) {
        return closed_error();
    }
    rocksdb::ReadOptions options;
    options.fill_cache = is_read_again(table);
    std::string value;
    const rocksdb::Status status = database_->Get(options, handle(table), slice(key), &value);
    if (status.IsNotFound()) {
        return std::optional<std::string>();
    }
    if (!status.ok()) {
        return read_error(status);
    }
    return std::optional<std::string>(std::move(value));
}

std::uint64_t RocksLog::write_ahead_bytes() const {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator file(path_, error), none; !error && file != none;
         file.increment(error)) {
        std::error_code gone;
        const std::uintmax_t size =
            file->path().extension() == ".log" ? file->file_size(gone) : std::uintmax_t{0};
        bytes += gone ? 0 : size;
    }
    return bytes;
}

LogStats RocksLog::stats() const {
    LogStats stats;
    stats.background_errors_total = parts_.counters->background_errors_total;
    stats.compaction_written_bytes_total = parts_.counters->compaction_written_bytes_total;
    const SharedLock lock(lock_);
    stats.write_ahead_bytes = write_ahead_bytes();
    if (database_ == nullptr) {
        return stats;
    }
    for (std::size_t i = 0; i < kLogTables.size(); ++i) {
        (void)database_->GetIntProperty(handle(kLogTables[i]),
                                        rocksdb::DB::Properties::kTotalSstFilesSize,
                                        &stats.table_bytes[i]);
    }
    std::uint64_t buffers = 0;
    std::uint64_t files = 0;
    (void)database_->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables,
                                              &buffers);
    (void)database_->GetAggregatedIntProperty(rocksdb::DB::Properties::kEstimateTableReadersMem,
                                              &files);
    stats.memory_bytes = buffers + files + parts_.cache->GetUsage();
    (void)database_->GetIntProperty(rocksdb::DB::Properties::kNumRunningCompactions,
                                    &stats.compactions_running);
    (void)database_->GetAggregatedIntProperty(
        rocksdb::DB::Properties::kEstimatePendingCompactionBytes, &stats.compaction_pending_bytes);
    return stats;
}

}  // namespace kpid::storage
