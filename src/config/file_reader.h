#pragma once
// Where the text of configuration files comes from: the disk, or a map in tests.

#include "kpid/base/result.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::config {

/// Reads whole files and lists what a pattern names. Called from one thread at a time; blocks.
class FileReader {
public:
    /// No configuration file may be larger.
    static constexpr std::size_t kFileBytesMax = std::size_t{4} * 1024 * 1024;
    /// A pattern names at most this many files.
    static constexpr std::size_t kGlobFilesMax = 10'000;

    virtual ~FileReader() = default;
    /// The text. kNotFound when there is none, kInvalidArgument for a directory or a file above the
    /// limit.
    [[nodiscard]] virtual Result<std::string> read(const std::string& path) const = 0;
    /// The files that `pattern` (`*`, `?`, `[a-z]`) names, sorted; empty when there are none.
    [[nodiscard]] virtual Result<std::vector<std::string>> glob(
        const std::string& pattern) const = 0;
};

/// The file system.
class DiskFileReader final : public FileReader {
public:
    [[nodiscard]] Result<std::string> read(const std::string& path) const override;
    [[nodiscard]] Result<std::vector<std::string>> glob(const std::string& pattern) const override;
};

/// Files from a map of path to text, for tests and fuzzing.
class MapFileReader final : public FileReader {
public:
    explicit MapFileReader(std::map<std::string, std::string> files) : files_(std::move(files)) {}
    [[nodiscard]] Result<std::string> read(const std::string& path) const override;
    [[nodiscard]] Result<std::vector<std::string>> glob(const std::string& pattern) const override;

private:
    std::map<std::string, std::string> files_;
};

/// True when the pattern has wildcards.
[[nodiscard]] bool is_pattern(std::string_view text);
/// `path` as it is when absolute, else below the folder of `file`.
[[nodiscard]] std::string resolve_beside(std::string_view file, std::string_view path);

}  // namespace kpid::config
