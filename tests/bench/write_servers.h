#pragma once
// The programs that the benchmarks with peers measure: kpid and its peers, each alone on the first
// core.

#include "bench/child_process.h"
#include "kpid/base/result.h"
#include "support/temporary_folder.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kpid::bench {

/// What samples take on the disk when everything has been written and merged.
struct DiskUse {
    std::uint64_t data_bytes = 0;   ///< Times and values with their headers and keys.
    std::uint64_t index_bytes = 0;  ///< Series and their labels.
};

/// One started program with an empty store in a folder of its own.
class WriteServer {
public:
    virtual ~WriteServer() = default;
    WriteServer(const WriteServer&) = delete;
    WriteServer& operator=(const WriteServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// User and system time so far, of both programs where there are two; meaningless after
    /// disk_use().
    [[nodiscard]] double cpu_seconds() const;
    [[nodiscard]] std::uint64_t resident_bytes() const;
    /// The most that was resident since start_peak(), or since the start where that failed.
    [[nodiscard]] std::uint64_t peak_bytes() const;
    /// False where the kernel does not let the peak begin anew.
    [[nodiscard]] bool start_peak() const;
    [[nodiscard]] std::string log() const { return process_ ? process_->log() : std::string(); }
    /// May end the program; it takes no more samples then.
    [[nodiscard]] virtual Result<DiskUse> disk_use() = 0;
    /// Waits until what was sent can be queried and the program has been at rest for so long.
    [[nodiscard]] virtual Result<void> settle(std::chrono::seconds rest);
    /// Evaluates a Prometheus rule file from now on, with a second program if it takes one.
    [[nodiscard]] virtual Result<void> start_rules(const std::string& rules) = 0;
    /// Where /api/v1/rules, /api/v1/alerts and the metrics of rules are.
    [[nodiscard]] std::uint16_t rules_port() const {
        return rules_port_ == 0 ? port_ : rules_port_;
    }

protected:
    WriteServer() = default;
    /// Starts a program on the first core and waits until it answers at `ready_path`.
    [[nodiscard]] Result<void> start(const std::vector<std::string>& command,
                                     const std::string& ready_path);
    /// The same for a second program, which answers at `port`.
    [[nodiscard]] Result<void> start_second(const std::vector<std::string>& command,
                                            std::uint16_t port, const std::string& ready_path);

    kpid::testing::TemporaryFolder folder_;
    std::optional<ChildProcess> process_;
    std::optional<ChildProcess> second_process_;
    std::uint16_t port_ = 0;
    std::uint16_t rules_port_ = 0;  // Of the second program, if there is one.
};

using StartWriteServer = std::function<Result<std::unique_ptr<WriteServer>>()>;

[[nodiscard]] Result<std::unique_ptr<WriteServer>> start_kpid(const std::string& program);
[[nodiscard]] Result<std::unique_ptr<WriteServer>> start_prometheus(const std::string& program);
[[nodiscard]] Result<std::unique_ptr<WriteServer>> start_victoria_metrics(
    const std::string& program);

/// Keeps this process, from now on, off the first core if there is another.
void stay_off_first_core();

}  // namespace kpid::bench
