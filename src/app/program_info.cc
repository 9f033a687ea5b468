// Looks at the process.
#include "app/program_info.h"

#include "kpid/version.h"

#include <filesystem>
#include <system_error>

namespace kpid::app {

http::ProgramInfo program_info(const Flags& flags, Timestamp started) {
    std::error_code failure;
    const std::filesystem::path folder = std::filesystem::current_path(failure);
    return {.version = std::string(kVersion),
            .revision = std::string(kRevision),
            .flags = shown_flags(flags),
            .features = flags.features,
            .started = started,
            .folder = failure ? "" : folder.string(),
            .host_name = load_options(flags).host_name};
}

std::size_t thread_count() {
    std::error_code failure;
    std::size_t count = 0;
    for (std::filesystem::directory_iterator at("/proc/self/task", failure), end;
         !failure && at != end; at.increment(failure)) {
        ++count;
    }
    return count;
}

}  // namespace kpid::app
