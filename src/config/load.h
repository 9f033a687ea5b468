#pragma once
// Reads a configuration with everything it names.

#include "config/config.h"
#include "config/file_reader.h"
#include "config/findings.h"
#include "kpid/base/result.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kpid::config {

/// What reading depends on beside the files.
struct LoadOptions {
    /// The value of an environment variable; nothing when it is not set. Empty function: none is
    /// set.
    std::function<std::optional<std::string>(const std::string&)> environment;
    /// Where files come from; nullptr is the disk. Borrowed for the call.
    const FileReader* files = nullptr;
    /// Names given with --enable-feature.
    std::vector<std::string> features;
    /// Addresses that replace web.listen; for the default of external_url only.
    std::vector<std::string> listen;
    /// This machine, where an address names none; without it and without an address' own host,
    /// external_url has no default.
    std::string host_name;
};

/// What reading gave.
struct LoadResult {
    /// Set exactly when no finding is an error.
    std::shared_ptr<const Config> config;
    /// All of all files; with a config these are warnings and infos.
    std::vector<Finding> findings;
    [[nodiscard]] bool ok() const { return config != nullptr; }
};

/// Reads the main file at `path` and every file it names. Every error of every file is reported at
/// once. Blocks on the file reader; never throws.
[[nodiscard]] LoadResult load_config(const std::string& path, const LoadOptions& options = {});

/// The first of `features` that --enable-feature does not know, as an error that names it and those
/// it knows.
[[nodiscard]] Result<void> check_features(const std::vector<std::string>& features);

/// Whether `finding` says that the file itself could not be read, as one named on a command line.
[[nodiscard]] bool is_unreadable_file(const Finding& finding);

enum class FileKind { kMain, kRules, kKpis };

/// Checks one file by itself: a rule file when `groups` stands at its top; a KPI file when all its
/// top-level keys are such a file's and none is a main file's; else a main file with everything it
/// names. What a KPI file refers to and does not define is no error: a warning where the file has a
/// section of that kind, else an info.
[[nodiscard]] std::vector<Finding> check_file(const std::string& path,
                                              const LoadOptions& options = {});

/// The variables of the process, for LoadOptions::environment.
[[nodiscard]] std::optional<std::string> process_environment(const std::string& name);

}  // namespace kpid::config
