#pragma once
// The programs that the remote-write benchmark sends to: kpid and its peers, each alone on the
// first core.

#include "bench/child_process.h"
#include "kpid/base/result.h"
#include "support/temporary_folder.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

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
    /// User and system time so far; meaningless after disk_use().
    [[nodiscard]] double cpu_seconds() const { return process_ ? process_->cpu_seconds() : 0; }
    [[nodiscard]] std::uint64_t resident_bytes() const;
    [[nodiscard]] std::string log() const { return process_ ? process_->log() : std::string(); }
    /// May end the program; it takes no more samples then.
    [[nodiscard]] virtual Result<DiskUse> disk_use() = 0;

protected:
    WriteServer() = default;
    /// Starts a program on the first core and waits until it answers at `ready_path`.
    [[nodiscard]] Result<void> start(std::vector<std::string> command,
                                     const std::string& ready_path);

    kpid::testing::TemporaryFolder folder_;
    std::optional<ChildProcess> process_;
    std::uint16_t port_ = 0;
};

using StartWriteServer = std::function<Result<std::unique_ptr<WriteServer>>()>;

[[nodiscard]] Result<std::unique_ptr<WriteServer>> start_kpid(const std::string& program);
[[nodiscard]] Result<std::unique_ptr<WriteServer>> start_prometheus(const std::string& program);
[[nodiscard]] Result<std::unique_ptr<WriteServer>> start_victoria_metrics(
    const std::string& program);

/// Keeps this process, from now on, off the first core if there is another.
void stay_off_first_core();

}  // namespace kpid::bench
