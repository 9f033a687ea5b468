#pragma once
// The command line of kpid.

#include "config/load.h"
#include "kpid/base/log.h"
#include "kpid/base/result.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kpid::app {

struct Flags {
    std::string config_file;
    std::string storage_path;         ///< Empty: the file's. Relative to the working directory.
    std::vector<std::string> listen;  ///< Empty: the file's.
    LogLevel log_level = LogLevel::kInfo;
    LogFormat log_format = LogFormat::kLogfmt;
    bool check_config = false;
    bool enable_admin_api = false;
    std::string cors_origin = ".*";  ///< A regular expression of origins.
    std::vector<std::string> features;
};

/// What the process does after reading its command line.
struct ParsedFlags {
    Flags flags;
    /// Set when the process ends at once: 0 after --help or --version, 2 after a mistake; the text
    /// is printed.
    std::optional<int> exit_code;
    std::string text;
};

/// How the configuration is read, at the start and at each reload.
[[nodiscard]] config::LoadOptions load_options(const Flags& flags);

/// Every flag and its value, by name without the dashes, as /api/v1/status/flags shows them.
[[nodiscard]] std::map<std::string, std::string> shown_flags(const Flags& flags);

[[nodiscard]] ParsedFlags parse_flags(int argc, const char* const* argv);

}  // namespace kpid::app
