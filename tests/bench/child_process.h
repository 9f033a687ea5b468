#pragma once
// A program that a benchmark starts, measures and ends.

#include "kpid/base/result.h"

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace kpid::bench {

/// Runs from the constructor to the destructor at the longest; it ends with the benchmark, however
/// that ends. Both of its outputs go to one log file.
class ChildProcess {
public:
    /// `command` is the program's path and its arguments.
    [[nodiscard]] static Result<ChildProcess> start(const std::vector<std::string>& command,
                                                    std::string log_file);
    /// SIGTERM, then SIGKILL after kStopMax; waits for the end.
    ~ChildProcess();
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ChildProcess& operator=(ChildProcess&&) = delete;

    [[nodiscard]] pid_t id() const { return id_; }
    /// User plus system time since its start, in seconds; the kernel counts in hundredths.
    [[nodiscard]] double cpu_seconds() const;
    /// False once it has ended by itself.
    [[nodiscard]] bool running();
    [[nodiscard]] std::string log() const;
    /// The rest of the first log line after `marker`, up to a blank; waits for it.
    [[nodiscard]] Result<std::string> wait_for_log(const std::string& marker,
                                                   std::chrono::seconds at_most);

private:
    static constexpr std::chrono::seconds kStopMax{12};

    ChildProcess(pid_t id, std::string log_file);

    pid_t id_ = 0;  // 0 when there is nothing to end.
    std::string log_file_;
};

}  // namespace kpid::bench
