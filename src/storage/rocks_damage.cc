#include "storage/rocks_damage.h"

#include <fmt/format.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace kpid::storage {
namespace {

// Files that are named.
constexpr std::size_t kNamedMax = 8;
constexpr std::string_view kCurrentFile = "CURRENT";
constexpr std::string_view kManifestPrefix = "MANIFEST-";
// Made when a database is opened, and not copied to a snapshot.
constexpr std::string_view kIdentityFile = "IDENTITY";

std::vector<std::filesystem::path> files_of(const std::string& path) {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (std::filesystem::directory_iterator file(path, error), none; !error && file != none;
         file.increment(error)) {
        files.push_back(file->path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool has(const std::vector<std::filesystem::path>& files, std::string_view name) {
    return std::any_of(files.begin(), files.end(),
                       [name](const auto& file) { return file.filename().string() == name; });
}

// A manifest is records in blocks: checksum, length and kind, then so many bytes; a block's last
// bytes stay empty when no head fits. Checksums are RocksDB's to check.
bool is_whole(std::ifstream& file) {
    constexpr std::uint64_t kBlock = 32'768;
    constexpr std::uint64_t kHead = 7;
    constexpr std::size_t kLengthAt = 4;
    constexpr std::size_t kKindAt = 6;
    constexpr char kLastKind = 4;  // RocksDB reads others as the end.
    file.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(0, file.tellg()));
    for (std::uint64_t at = 0; at != size;) {
        const std::uint64_t rest = kBlock - at % kBlock;
        if (rest < kHead) {
            at = std::min(size, at + rest);
            continue;
        }
        std::array<char, kHead> head{};
        file.seekg(static_cast<std::streamoff>(at));
        if (size - at < kHead || !file.read(head.data(), head.size())) {
            return false;
        }
        at += kHead + static_cast<unsigned char>(head[kLengthAt]) +
              256U * static_cast<unsigned char>(head[kLengthAt + 1]);
        if (at > size || head[kKindAt] < 0 || head[kKindAt] > kLastKind) {
            return false;
        }
    }
    return true;
}

// Those whose ends cannot be read; a block inside that is damaged refuses no start.
std::vector<std::string> unreadable_tables(const std::string& path) {
    std::vector<std::string> names;
    for (const std::filesystem::path& file : files_of(path)) {
        if (file.extension() != ".sst" || names.size() == kNamedMax) {
            continue;
        }
        rocksdb::SstFileReader reader{rocksdb::Options()};
        if (!reader.Open(file.string()).ok()) {
            names.push_back(file.filename().string());
        }
    }
    return names;
}

}  // namespace

Result<void> check_has_current(const std::string& path) {
    const std::vector<std::filesystem::path> files = files_of(path);
    const bool has_database = std::any_of(files.begin(), files.end(), [](const auto& file) {
        return file.extension() == ".sst" || file.filename().string().starts_with(kManifestPrefix);
    });
    if (has_database && !has(files, kCurrentFile)) {
        return Error{Code::kDataLoss,
                     fmt::format("the file {} is missing beside the others; put back the whole "
                                 "folder from a snapshot or a backup",
                                 kCurrentFile)};
    }
    return {};
}

Result<std::string> rescue_if_torn(const std::string& path) {
    const std::filesystem::path folder(path);
    std::string manifest;
    std::getline(std::ifstream(folder / kCurrentFile), manifest);
    std::ifstream file(folder / manifest, std::ios::binary);
    if (!manifest.starts_with(kManifestPrefix) || !file || is_whole(file)) {
        return std::string();
    }
    const std::filesystem::path rescued = folder / ("rescued-" + manifest);
    std::error_code error;
    std::filesystem::create_directories(rescued, error);
    for (const std::filesystem::path& one : files_of(path)) {
        if (!error && (one.extension() == ".sst" || one.extension() == ".log")) {
            std::filesystem::create_hard_link(one, rescued / one.filename(), error);
            error = error == std::errc::file_exists ? std::error_code() : error;
        }
    }
    for (const std::string& name : {manifest, std::string(kCurrentFile)}) {
        if (!error) {
            std::filesystem::copy_file(folder / name, rescued / name,
                                       std::filesystem::copy_options::skip_existing, error);
        }
    }
    if (error) {
        return unavailable(
            fmt::format("the file {} is torn, and the others cannot be kept in {}: "
                        "{}",
                        manifest, rescued.string(), error.message()));
    }
    return fmt::format(
        "the file {} of the storage at {} is torn: what its end named is lost; all "
        "files as they were are kept in {}",
        manifest, path, rescued.string());
}

bool lacks_write_ahead_log(const std::string& path) {
    const std::vector<std::filesystem::path> files = files_of(path);
    return has(files, kCurrentFile) && has(files, kIdentityFile) &&
           std::none_of(files.begin(), files.end(),
                        [](const auto& file) { return file.extension() == ".log"; });
}

bool is_damage(const rocksdb::Status& status) {
    return status.IsCorruption() ||
           (status.IsIOError() && status.ToString().find("MANIFEST-") != std::string::npos &&
            status.subcode() == rocksdb::Status::kPathNotFound);
}

std::string describe_damage(const std::string& path, const rocksdb::Status& status) {
    std::string text = status.ToString();
    // It asks for a missing file by its name of old.
    constexpr std::string_view kOldName = ".ldb";
    for (std::size_t at = text.find(kOldName); at != std::string::npos; at = text.find(kOldName)) {
        text.replace(at, kOldName.size(), ".sst");
    }
    const std::vector<std::string> tables = unreadable_tables(path);
    if (!tables.empty()) {
        text += fmt::format("; damaged: {}", fmt::join(tables, ", "));
    } else if (status.IsIOError()) {
        text += fmt::format("; the file {} names it", kCurrentFile);
    }
    return text + "; put back the whole folder from a snapshot or a backup";
}

}  // namespace kpid::storage
