#pragma once
// What the API's status endpoints say of this process.

#include "app/flags.h"
#include "http/status_api.h"
#include "kpid/base/time.h"

#include <cstddef>

namespace kpid::app {

[[nodiscard]] http::ProgramInfo program_info(const Flags& flags, Timestamp started);

/// The threads of this process; 0 where it cannot be told.
[[nodiscard]] std::size_t thread_count();

}  // namespace kpid::app
