#pragma once
// Finds the checkout, for tests that read its files. Not a compile definition: object files are the
// same in every clone, so that the compiler cache serves them all.

#include <cstdlib>
#include <filesystem>

namespace kpid::testing {

/// The top of the checkout: KPID_SOURCE_DIR, which ctest sets; else the current folder.
inline std::filesystem::path source_dir() {
    const char* from_env = std::getenv("KPID_SOURCE_DIR");
    return from_env != nullptr ? std::filesystem::path(from_env) : std::filesystem::current_path();
}

}  // namespace kpid::testing
