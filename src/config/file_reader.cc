// Files from the disk and from a map.

#include "config/file_reader.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace kpid::config {
namespace {

Error too_large(std::string_view path) {
    return invalid_argument(
        fmt::format("{} is larger than {} MiB", path, FileReader::kFileBytesMax / (1024 * 1024)));
}

/// Frees what glob(3) allocated.
struct GlobAnswer {
    glob_t value{};
    GlobAnswer() = default;
    ~GlobAnswer() { ::globfree(&value); }
    GlobAnswer(const GlobAnswer&) = delete;
    GlobAnswer& operator=(const GlobAnswer&) = delete;
};

Error too_many(std::string_view pattern) {
    return resource_exhausted(
        fmt::format("{} names more than {} files", pattern, FileReader::kGlobFilesMax));
}

}  // namespace

Result<std::string> DiskFileReader::read(const std::string& path) const {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        return not_found(fmt::format("cannot read {}: no such file", path));
    }
    if (std::filesystem::is_directory(status)) {
        return invalid_argument(fmt::format("{} is a folder, not a file", path));
    }
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return unavailable(
            fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
    }
    // Read in pieces, so that neither a pipe nor a growing file gets past the limit.
    std::string text;
    std::vector<char> piece(64 * 1024);
    while (in) {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > kFileBytesMax) {
            return too_large(path);
        }
    }
    if (in.bad()) {
        return unavailable(fmt::format("cannot read {}", path));
    }
    return text;
}

Result<std::vector<std::string>> DiskFileReader::glob(const std::string& pattern) const {
    GlobAnswer answer;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's is safe as long as nobody changes the locale.
    const int status = ::glob(pattern.c_str(), 0, nullptr, &answer.value);
    if (status == GLOB_NOMATCH) {
        return std::vector<std::string>();
    }
    if (status != 0) {
        return unavailable(fmt::format("cannot list {}", pattern));
    }
    if (answer.value.gl_pathc > kGlobFilesMax) {
        return too_many(pattern);
    }
    return std::vector<std::string>(answer.value.gl_pathv,
                                    answer.value.gl_pathv + answer.value.gl_pathc);
}

Result<std::string> MapFileReader::read(const std::string& path) const {
    const auto found = files_.find(path);
    if (found == files_.end()) {
        return not_found(fmt::format("cannot read {}: no such file", path));
    }
    if (found->second.size() > kFileBytesMax) {
        return too_large(path);
    }
    return found->second;
}

Result<std::vector<std::string>> MapFileReader::glob(const std::string& pattern) const {
    std::vector<std::string> names;
    for (const auto& [path, text] : files_) {
        if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) {
            names.push_back(path);
        }
    }
    if (names.size() > kGlobFilesMax) {
        return too_many(pattern);
    }
    return names;
}

bool is_pattern(std::string_view text) {
    return text.find_first_of("*?[") != std::string_view::npos;
}

std::string resolve_beside(std::string_view file, std::string_view path) {
    if (path.empty() || path.front() == '/') {
        return std::string(path);
    }
    const std::size_t slash = file.rfind('/');
    if (slash == std::string_view::npos) {
        return std::string(path);
    }
    return fmt::format("{}/{}", file.substr(0, slash), path);
}

}  // namespace kpid::config
