// The log on RocksDB: opening, the format's version, closing.

#include "storage/rocks_log.h"

#include "storage/rocks_damage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

namespace kpid::storage {
namespace {

// Version of everything below the path; raised when an older program could misread it.
constexpr int kFormatVersion = 4;
// Its chunks stand under other keys.
constexpr int kUnreadableVersion = 2;
constexpr std::string_view kFormatKey = "format";

bool is_known_family(const std::string& name) {
    return name == kFormatFamily ||
           std::any_of(kLogTables.begin(), kLogTables.end(),
                       [&name](LogTable table) { return name == to_string(table); });
}

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

RocksLog::~RocksLog() {
    stop_tidying_ = true;
    const ExclusiveLock lock(lock_);
    close();
}

Error RocksLog::open_error(std::string_view why, Code code) const {
    return Error{code,
                 fmt::format("cannot open the storage at {}: {} (--storage.path)", path_, why)};
}

// Those that are there: "default" alone in a new folder.
Result<std::vector<std::string>> RocksLog::check_families() const {
    std::vector<std::string> names;
    const rocksdb::DBOptions options =
        database_options(parts_, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
    if (!rocksdb::DB::ListColumnFamilies(options, path_, &names).ok()) {
        // A new folder, or opening says what is wrong with it.
        return std::vector{std::string(kFormatFamily)};
    }
    for (const std::string& name : names) {
        if (!is_known_family(name)) {
            return open_error(
                fmt::format("it has the unknown part \"{}\", so it was written by a newer version "
                            "of kpid; start that version, or choose another folder",
                            name),
                Code::kUnsupported);
        }
    }
    return names;
}

Result<void> RocksLog::check_format() {
    std::string text;
    const rocksdb::Status status = database_->Get({}, handles_[0], slice(kFormatKey), &text);
    if (status.IsNotFound()) {
        return put_format();
    }
    if (!status.ok()) {
        return is_damage(status) ? open_error(describe_damage(path_, status), Code::kDataLoss)
                                 : open_error(status.ToString());
    }
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size() || version < 1) {
        return open_error("its format is unreadable", Code::kDataLoss);
    }
    if (version == kUnreadableVersion) {
        return open_error(
            fmt::format("its format is version {}, which no release wrote; choose another folder",
                        version),
            Code::kUnsupported);
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

rocksdb::Status RocksLog::open_database(const std::vector<std::string>& families) {
    std::vector<rocksdb::ColumnFamilyDescriptor> missing = family_descriptors(parts_);
    const auto is_missing = [&families](const rocksdb::ColumnFamilyDescriptor& one) {
        return std::find(families.begin(), families.end(), one.name) == families.end();
    };
    const auto first_missing =
        std::stable_partition(missing.begin(), missing.end(), std::not_fn(is_missing));
    const std::vector<rocksdb::ColumnFamilyDescriptor> there(missing.begin(), first_missing);
    missing.erase(missing.begin(), first_missing);
    // The write-ahead log's last record may be torn by a crash. Damage elsewhere in it ends what
    // can be read of it, which is no reason not to start, but must be seen.
    rocksdb::DB* database = nullptr;
    rocksdb::Status status = rocksdb::DB::Open(
        database_options(parts_, rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords), path_,
        there, &handles_, &database);
    if (status.IsCorruption()) {
        const rocksdb::Status why = status;
        status = rocksdb::DB::Open(
            database_options(parts_, rocksdb::WALRecoveryMode::kPointInTimeRecovery), path_, there,
            &handles_, &database);
        if (status.ok()) {
            note_damage(
                fmt::format("the write-ahead log of the storage at {} is damaged ({}): what "
                            "was written behind that place is lost",
                            path_, why.ToString()));
        }
    }
    database_.reset(database);
    if (!status.ok()) {
        return status;
    }
    status = make_missing_families(missing);
    if (!status.ok()) {
        close();
    }
    return status;
}

// All at once, which syncs fewer files than letting DB::Open make them one by one.
rocksdb::Status RocksLog::make_missing_families(
    const std::vector<rocksdb::ColumnFamilyDescriptor>& missing) {
    if (!missing.empty()) {
        std::vector<rocksdb::ColumnFamilyHandle*> made;
        const rocksdb::Status status = database_->CreateColumnFamilies(missing, &made);
        handles_.insert(handles_.end(), made.begin(), made.end());
        if (!status.ok()) {
            return status;
        }
    }
    // The one of the format first, then those of the tables.
    const auto place = [](const rocksdb::ColumnFamilyHandle* handle) {
        const auto table =
            std::find_if(kLogTables.begin(), kLogTables.end(),
                         [handle](LogTable one) { return handle->GetName() == to_string(one); });
        return table == kLogTables.end() ? 0 : table - kLogTables.begin() + 1;
    };
    std::sort(handles_.begin(), handles_.end(),
              [&place](const auto* one, const auto* other) { return place(one) < place(other); });
    return rocksdb::Status::OK();
}

void RocksLog::note_damage(std::string what) {
    ++parts_.counters->background_errors_total;
    const MutexLock lock(reports_mutex_);
    if (reports_.size() < kReportsMax) {
        reports_.push_back(std::move(what));
    }
}

std::vector<std::string> RocksLog::take_damage_reports() {
    const MutexLock lock(reports_mutex_);
    return std::exchange(reports_, {});
}

Result<void> RocksLog::open() {
    const ExclusiveLock lock(lock_);
    return open_locked();
}

Result<void> RocksLog::open_locked() {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) {
        return open_error(error.message());
    }
    if (const Result<void> whole = check_has_current(path_); !whole) {
        return open_error(whole.error().message, whole.error().code);
    }
    KPID_TRY(const std::string torn, rescue_if_torn(path_));
    const bool is_log_lost = lacks_write_ahead_log(path_);
    KPID_TRY(const std::vector<std::string> families, check_families());
    const rocksdb::Status status = open_database(families);
    if (!status.ok()) {
        const std::string text = status.ToString();
        if (status.IsIOError() && text.find("lock ") != std::string::npos) {
            return open_error("it is in use by another process");
        }
        return is_damage(status) ? open_error(describe_damage(path_, status), Code::kDataLoss)
                                 : open_error(text);
    }
    if (!torn.empty()) {
        note_damage(torn);
    }
    if (is_log_lost) {
        note_damage(
            fmt::format("the write-ahead log of the storage at {} is missing: what was "
                        "written last is lost",
                        path_));
    }
    auto checked = check_format();
    if (!checked) {
        close();
    }
    return checked;
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

Result<std::unique_ptr<Log>> open_rocks_log(const std::string& path) {
    auto log = std::make_unique<RocksLog>(path);
    KPID_CHECK_OK(log->open());
    return std::unique_ptr<Log>(std::move(log));
}

}  // namespace kpid::storage
