// The log on RocksDB: batches, what to do after one failed, and files that are erased as a whole.

#include "storage/rocks_log.h"

#include <fmt/format.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace kpid::storage {
namespace {

// Opening anew is slow; whether there is any room is asked with a small file first.
constexpr std::string_view kProbeFile = "probe.tmp";
constexpr std::size_t kProbeBytes = std::size_t{64} << 10;
// What an entry takes in a batch beside key and value: a kind, a family, two lengths.
constexpr std::size_t kEntryOverhead = 16;
// Files dropped behind one batch; the next batch drops more.
constexpr int kFilesPerBatchMax = 64;
// A batch that took more gives its memory back.
constexpr std::size_t kBatchKeptBytes = std::size_t{1} << 20;

std::size_t encoded_bytes(const LogBatch& batch) {
    std::size_t bytes = kEntryOverhead;
    for (const LogErasure& erasure : batch.erasures) {
        bytes += erasure.begin.size() + erasure.end.size() + kEntryOverhead;
    }
    for (const LogEntry& entry : batch.entries) {
        bytes += entry.key.size() + (entry.value ? entry.value->size() : 0) + kEntryOverhead;
    }
    return bytes;
}

}  // namespace

Result<void> RocksLog::probe_disk() const {
    const std::filesystem::path file = std::filesystem::path(path_) / kProbeFile;
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << std::string(kProbeBytes, '\0');
    out.close();
    const bool written = !out.fail();
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    if (!written) {
        return unavailable(fmt::format("the storage at {} still cannot be written", path_));
    }
    return {};
}

Result<void> RocksLog::recover_if_failed() {
    if (!failed_) {
        return {};
    }
    KPID_CHECK_OK(probe_disk());
    stop_tidying_ = true;
    const ExclusiveLock lock(lock_);
    stop_tidying_ = false;
    close();
    KPID_CHECK_OK(open_locked());
    failed_ = false;
    return {};
}

Error RocksLog::write_failed(const rocksdb::Status& status) {
    failed_ = true;
    return unavailable(
        fmt::format("cannot write to the storage at {}: {}", path_, status.ToString()));
}

// The same memory time and again: that of a large batch comes from the system page by page.
rocksdb::WriteBatch& RocksLog::cleared_batch(std::size_t bytes) {
    if (batch_ == nullptr || bytes > batch_bytes_ || batch_bytes_ > kBatchKeptBytes) {
        batch_bytes_ = bytes;
        batch_ = std::make_unique<rocksdb::WriteBatch>(bytes);
    }
    batch_->Clear();
    return *batch_;
}

Result<void> RocksLog::write(const LogBatch& batch, bool sync) {
    KPID_CHECK_OK(recover_if_failed());
    const SharedLock lock(lock_);
    rocksdb::WriteBatch& out = cleared_batch(encoded_bytes(batch));
    rocksdb::Status status;
    for (const LogErasure& erasure : batch.erasures) {
        // RocksDB takes a range that ends before it begins into its log and chokes on it then.
        if (status.ok() && erasure.begin < erasure.end) {
            status = out.DeleteRange(handle(erasure.table), erasure.begin, erasure.end);
        }
    }
    for (const LogEntry& entry : batch.entries) {
        if (status.ok()) {
            status = entry.value ? out.Put(handle(entry.table), entry.key, *entry.value)
                                 : out.Delete(handle(entry.table), entry.key);
        }
    }
    if (status.ok()) {
        rocksdb::WriteOptions options;
        options.sync = sync;
        status = database_->Write(options, &out);
    }
    if (!status.ok()) {
        return write_failed(status);
    }
    drop_erased_files(batch);
    rest_damaged_tables();
    return {};
}

void RocksLog::drop_erased_files(const LogBatch& batch) {
    const bool erases =
        std::any_of(batch.erasures.begin(), batch.erasures.end(),
                    [](const LogErasure& erasure) { return erasure.table == LogTable::kSamples; });
    if (!erases) {
        return;
    }
    synced_since_erasure_ = false;
    for (int dropped = 0; dropped < kFilesPerBatchMax && drop_one_erased_file(); ++dropped) {
    }
}

// RocksDB lets go of the oldest file of the first level, when there are none below, and of any file
// of the last level: what such a file erases is in no other file. So a file goes when none of the
// keys in its range is alive. Only the caller writes, so none becomes so meanwhile.
bool RocksLog::drop_one_erased_file() {
    rocksdb::ColumnFamilyMetaData family;
    database_->GetColumnFamilyMetaData(handle(LogTable::kSamples), &family);
    const auto deepest =
        std::find_if(family.levels.rbegin(), family.levels.rend(),
                     [](const rocksdb::LevelMetaData& level) { return !level.files.empty(); });
    if (deepest == family.levels.rend()) {
        return false;
    }
    // Those of the first level are listed from new to old; the others by key.
    const rocksdb::SstFileMetaData& file =
        deepest->level == 0 ? deepest->files.back() : deepest->files.front();
    if (file.being_compacted ||
        has_entries(LogTable::kSamples, file.smallestkey, file.largestkey)) {
        return false;
    }
    // The file goes for good, so what erased its entries must be there for good too.
    if (!synced_since_erasure_ && !database_->FlushWAL(true).ok()) {
        return false;
    }
    synced_since_erasure_ = true;
    return database_->DeleteFile(file.name).ok();
}

bool RocksLog::has_entries(LogTable table, const std::string& first,
                           const std::string& last) const {
    const std::string end = last + '\0';
    const rocksdb::Slice bound(end);
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.iterate_upper_bound = &bound;
    const std::unique_ptr<rocksdb::Iterator> entry(database_->NewIterator(options, handle(table)));
    entry->Seek(first);
    return entry->Valid() || !entry->status().ok();
}

// A compaction that meets damaged bytes would be tried again and again. New entries of that table
// are written as before; it is compacted again after the next start.
void RocksLog::rest_damaged_tables() {
    const std::uint32_t damaged = parts_.counters->damaged_tables.exchange(0);
    for (std::size_t i = 0; i < kLogTables.size(); ++i) {
        if ((damaged >> i & 1U) != 0) {
            (void)database_
                ->SetOptions(handle(kLogTables[i]), {{"disable_auto_compactions", "true"}})
                .ok();
        }
    }
}

Result<void> RocksLog::snapshot(const std::string& folder) {
    KPID_CHECK_OK(recover_if_failed());
    const auto failed = [&folder](std::string_view why) {
        return unavailable(fmt::format("cannot make the snapshot {}: {}", folder, why));
    };
    const std::filesystem::path path(folder);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) {
        return failed(error.message());
    }
    const SharedLock lock(lock_);
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(database_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (status.ok()) {
        status = checkpoint->CreateCheckpoint(folder);
    }
    if (!status.ok()) {
        return failed(status.ToString());
    }
    return {};
}

void RocksLog::set_drop_rule(LogDropRule rule) {
    parts_.drop_rule->set(std::move(rule));
}

Result<void> RocksLog::tidy(LogTable table) {
    const SharedLock lock(lock_);
    if (database_ == nullptr) {
        return closed_error();
    }
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.canceled = &stop_tidying_;
    const rocksdb::Status status =
        database_->CompactRange(options, handle(table), nullptr, nullptr);
    if (!status.ok()) {
        return read_error(status).with_context(
            fmt::format("cannot tidy the table {}", to_string(table)));
    }
    return {};
}

}  // namespace kpid::storage
