#include "bench/child_process.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace kpid::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{5};
constexpr int kExitNotStarted = 127;

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command,
                                         std::string log_file) {
    std::vector<char*> arguments;
    std::vector<std::string> copies = command;
    for (std::string& copy : copies) {
        arguments.push_back(copy.data());
    }
    arguments.push_back(nullptr);
    const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log < 0) {
        return unavailable("cannot write " + log_file);
    }
    const pid_t parent = ::getpid();
    const pid_t id = ::fork();
    if (id == 0) {
        // Only calls that are safe between fork and exec.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
            ::_exit(kExitNotStarted);
        }
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        ::execv(arguments.front(), arguments.data());
        ::_exit(kExitNotStarted);
    }
    ::close(log);
    if (id < 0) {
        return unavailable("cannot start " + command.front());
    }
    return ChildProcess(id, std::move(log_file));
}

ChildProcess::ChildProcess(pid_t id, std::string log_file)
    : id_(id), log_file_(std::move(log_file)) {
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : id_(std::exchange(other.id_, 0)), log_file_(std::move(other.log_file_)) {
}

ChildProcess::~ChildProcess() {
    if (!running()) {
        return;
    }
    ::kill(id_, SIGTERM);
    const SteadyClock::time_point deadline = SteadyClock::now() + kStopMax;
    while (running()) {
        if (SteadyClock::now() > deadline) {
            ::kill(id_, SIGKILL);
            ::waitpid(id_, nullptr, 0);
            return;
        }
        std::this_thread::sleep_for(kLookInterval);
    }
}

bool ChildProcess::running() {
    if (id_ == 0) {
        return false;
    }
    if (::waitpid(id_, nullptr, WNOHANG) == id_) {
        id_ = 0;
    }
    return id_ != 0;
}

double ChildProcess::cpu_seconds() const {
    std::ifstream file("/proc/" + std::to_string(id_) + "/stat");
    std::string line;
    std::getline(file, line);
    // The name, in parentheses, may hold blanks; user and system time are fields 14 and 15.
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) {
        return 0;
    }
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i) {
        fields >> skipped;
    }
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string ChildProcess::log() const {
    std::ifstream file(log_file_);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

Result<std::string> ChildProcess::wait_for_log(const std::string& marker,
                                               std::chrono::seconds at_most) {
    const SteadyClock::time_point deadline = SteadyClock::now() + at_most;
    for (;;) {
        const bool last_look = !running() || SteadyClock::now() > deadline;
        const std::string text = log();
        const std::size_t found = text.find(marker);
        const std::size_t end =
            found == std::string::npos ? found : text.find_first_of(" \n", found + marker.size());
        if (end != std::string::npos) {
            return text.substr(found + marker.size(), end - found - marker.size());
        }
        if (last_look) {
            return unavailable("\"" + marker + "\" is not in the log:\n" + text);
        }
        std::this_thread::sleep_for(kLookInterval);
    }
}

}  // namespace kpid::bench
