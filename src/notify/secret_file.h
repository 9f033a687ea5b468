#pragma once
// Secrets and URLs that stand in files.

#include "kpid/base/result.h"

#include <string>

namespace kpid::notify {

/// The file's text without white space at its ends. kUnavailable when it cannot be read or is empty
/// (an empty secret would send unsigned), so that the delivery is tried again. Blocks.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path);

}  // namespace kpid::notify
