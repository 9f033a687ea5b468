// Where a benchmark ran.

#include "bench/machine.h"

#include <fmt/format.h>

#include <fstream>
#include <string_view>
#include <sys/utsname.h>
#include <thread>

namespace kpid::bench {
namespace {

std::string first_line_with(const char* file, std::string_view begin) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(begin)) {
            return line;
        }
    }
    return "unknown";
}

}  // namespace

std::string describe_machine() {
    utsname kernel{};
    ::uname(&kernel);
    const std::string model = first_line_with("/proc/cpuinfo", "model name");
    const std::size_t colon = model.find(": ");
    return fmt::format("{}, {} cores, Linux {}; load before {}",
                       colon == std::string::npos ? model : model.substr(colon + 2),
                       std::thread::hardware_concurrency(), kernel.release,
                       first_line_with("/proc/loadavg", ""));
}

}  // namespace kpid::bench
