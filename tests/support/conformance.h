#pragma once
// Finds the conformance data that lies beside the checkout.

#include "support/source_dir.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::testing {

/// The folder of one suite (`promql`, `prom-text`, …) under KPID_CONFORMANCE_DIR, default
/// ../shared/conformance. Nothing when it is absent, said loudly on standard error: the project's
/// own cases still run.
inline std::optional<std::filesystem::path> conformance_dir(std::string_view suite) {
    const char* from_env = std::getenv("KPID_CONFORMANCE_DIR");
    const std::filesystem::path root =
        from_env != nullptr ? from_env : source_dir() / ".." / "shared" / "conformance";
    std::filesystem::path folder = root / suite;
    if (!std::filesystem::is_directory(folder)) {
        std::cerr << "\n*** CONFORMANCE DATA ABSENT: " << folder
                  << " is not a folder; these cases did NOT run (set KPID_CONFORMANCE_DIR) ***\n\n";
        return std::nullopt;
    }
    return folder;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace kpid::testing
