// The log on RocksDB: one column family a table, atomic batches, its write-ahead log. The one file
// that knows it.

#include "kpid/base/assert.h"
#include "kpid/storage/log.h"

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace kpid::storage {
namespace {

// Version of everything below the path; raised when an older program could misread it.
constexpr int kFormatVersion = 2;
constexpr std::string_view kFormatKey = "format";

// Column families in RocksDB's order of opening; the first holds the format alone.
constexpr std::array<std::string_view, 5> kFamilies{"default", "series", "chunks", "samples",
                                                    "state"};
constexpr std::array kTables{LogTable::kSeries, LogTable::kChunks, LogTable::kSamples,
                             LogTable::kState};

constexpr std::size_t kSamplesBufferBytes = std::size_t{16} << 20;
constexpr std::size_t kSmallBufferBytes = std::size_t{4} << 20;
constexpr std::size_t kBlockCacheBytes = std::size_t{4} << 20;
constexpr std::uint64_t kWriteAheadBytesMax = std::uint64_t{64} << 20;
// Opening anew is slow; whether there is any room is asked with a small file first.
constexpr std::string_view kProbeFile = "probe.tmp";
constexpr std::size_t kProbeBytes = std::size_t{64} << 10;
constexpr int kOpenFilesMax = 256;
constexpr int kBackgroundJobsMax = 2;

std::size_t family_of(LogTable table) {
    return static_cast<std::size_t>(table) + 1;
}

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

// RocksDB's own log file would be one more thing to fill the disk, and Debian's build ends the
// process when it cannot be written. Every failure comes back as a status anyway.
class SilentLogger final : public rocksdb::Logger {
public:
    SilentLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::HEADER_LEVEL) {}
    using rocksdb::Logger::Logv;
    void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::DBOptions database_options() {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.max_total_wal_size = kWriteAheadBytesMax;
    options.max_open_files = kOpenFilesMax;
    options.max_background_jobs = kBackgroundJobsMax;
    options.info_log = std::make_shared<SilentLogger>();
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    // The log's end may be torn by a crash; what was acknowledged before it is whole.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    return options;
}

rocksdb::CompressionType compression() {
    const std::vector<rocksdb::CompressionType> linked = rocksdb::GetSupportedCompressions();
    const bool has_lz4 =
        std::find(linked.begin(), linked.end(), rocksdb::kLZ4Compression) != linked.end();
    return has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
    const std::shared_ptr<rocksdb::TableFactory> factory(rocksdb::NewBlockBasedTableFactory(table));
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string_view name : kFamilies) {
        rocksdb::ColumnFamilyOptions options;
        const bool large = name == "samples" || name == "chunks";
        options.write_buffer_size = large ? kSamplesBufferBytes : kSmallBufferBytes;
        // Chunks are compressed as far as pays.
        options.compression = name == "chunks" ? rocksdb::kNoCompression : compression();
        options.table_factory = factory;
        descriptors.emplace_back(std::string(name), options);
    }
    return descriptors;
}

class RocksLog final : public Log {
public:
    explicit RocksLog(std::string path) : path_(std::move(path)) {}
    ~RocksLog() override { close(); }
    RocksLog(const RocksLog&) = delete;
    RocksLog& operator=(const RocksLog&) = delete;

    Result<void> open();
    Result<void> write(const LogBatch& batch, bool sync) override;
    Result<void> replay(const LogVisitor& visitor) override;

private:
    [[nodiscard]] Error open_error(std::string_view why, Code code = Code::kUnavailable) const;
    [[nodiscard]] Result<void> check_families() const;
    [[nodiscard]] Result<void> check_format();
    [[nodiscard]] Result<void> put_format();
    [[nodiscard]] Result<void> probe_disk() const;
    [[nodiscard]] Result<void> recover();
    void close();
    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(LogTable table) const {
        return handles_[family_of(table)];
    }

    const std::string path_;
    std::unique_ptr<rocksdb::DB> database_;              // null when a recovery could not reopen it
    std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // as kFamilies; owned by database_
    bool failed_ = false;
};

Error RocksLog::open_error(std::string_view why, Code code) const {
    return Error{code,
                 fmt::format("cannot open the storage at {}: {} (--storage.path)", path_, why)};
}

Result<void> RocksLog::check_families() const {
    std::vector<std::string> names;
    if (!rocksdb::DB::ListColumnFamilies(database_options(), path_, &names).ok()) {
        return {};  // A new folder, or open() says what is wrong with it.
    }
    for (const std::string& name : names) {
        if (std::find(kFamilies.begin(), kFamilies.end(), name) == kFamilies.end()) {
            return open_error(
                fmt::format("it has the unknown part \"{}\", so it was written by a newer version "
                            "of kpid; start that version, or choose another folder",
                            name),
                Code::kUnsupported);
        }
    }
    return {};
}

Result<void> RocksLog::check_format() {
    std::string text;
    const rocksdb::Status status = database_->Get({}, handles_[0], slice(kFormatKey), &text);
    if (status.IsNotFound()) {
        return put_format();
    }
    if (!status.ok()) {
        return open_error(status.ToString(), Code::kDataLoss);
    }
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size() || version < 1) {
        return open_error("its format is unreadable", Code::kDataLoss);
    }
    if (version > kFormatVersion) {
        return open_error(
            fmt::format("its format is version {} and this program reads up to {}; start the newer "
                        "version of kpid that wrote it, or choose another folder",
                        version, kFormatVersion),
            Code::kUnsupported);
    }
    // Older ones are read as they are: they lack tables, which opening has made.
    return version < kFormatVersion ? put_format() : Result<void>();
}

Result<void> RocksLog::put_format() {
    const rocksdb::Status put =
        database_->Put({}, handles_[0], slice(kFormatKey), std::to_string(kFormatVersion));
    return put.ok() ? Result<void>() : open_error(put.ToString());
}

Result<void> RocksLog::open() {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) {
        return open_error(error.message());
    }
    KPID_CHECK_OK(check_families());
    rocksdb::DB* database = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(database_options(), path_, families(), &handles_, &database);
    if (!status.ok()) {
        const std::string text = status.ToString();
        if (status.IsIOError() && text.find("lock ") != std::string::npos) {
            return open_error("it is in use by another process");
        }
        return open_error(text, status.IsCorruption() ? Code::kDataLoss : Code::kUnavailable);
    }
    database_.reset(database);
    return check_format();
}

void RocksLog::close() {
    if (database_ == nullptr) {
        return;
    }
    // What was written is with the operating system already; this is for a power cut after a proper
    // end.
    // A file that failed cannot be synced any more.
    if (!failed_) {
        (void)database_->FlushWAL(true).ok();
    }
    for (rocksdb::ColumnFamilyHandle* one : handles_) {
        (void)database_->DestroyColumnFamilyHandle(one).ok();
    }
    handles_.clear();
    (void)database_->Close().ok();
    database_.reset();
}

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

Result<void> RocksLog::recover() {
    // A torn record may stand at the end of the write-ahead log, and what is written behind it
    // would be lost at the next start. Opening anew reads up to the tear and begins a new file.
    KPID_CHECK_OK(probe_disk());
    close();
    KPID_CHECK_OK(open());
    failed_ = false;
    return {};
}

Result<void> RocksLog::write(const LogBatch& batch, bool sync) {
    if (failed_) {
        KPID_CHECK_OK(recover());
    }
    rocksdb::WriteBatch out;
    rocksdb::Status status;
    for (const LogErasure& erasure : batch.erasures) {
        if (status.ok()) {
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
        failed_ = true;
        return unavailable(
            fmt::format("cannot write to the storage at {}: {}", path_, status.ToString()));
    }
    return {};
}

Result<void> RocksLog::replay(const LogVisitor& visitor) {
    for (const LogTable table : kTables) {
        rocksdb::ReadOptions options;
        options.fill_cache = false;
        const std::unique_ptr<rocksdb::Iterator> entry(
            database_->NewIterator(options, handle(table)));
        for (entry->SeekToFirst(); entry->Valid(); entry->Next()) {
            KPID_CHECK_OK(
                visitor(table, entry->key().ToStringView(), entry->value().ToStringView()));
        }
        if (!entry->status().ok()) {
            return Error{Code::kDataLoss, entry->status().ToString()};
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Log>> open_rocks_log(const std::string& path) {
    auto log = std::make_unique<RocksLog>(path);
    KPID_CHECK_OK(log->open());
    return std::unique_ptr<Log>(std::move(log));
}

}  // namespace kpid::storage
