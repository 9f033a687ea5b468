// The programs that the remote-write benchmark sends to.

#include "bench/write_servers.h"

#include "bench/loopback_http.h"
#include "kpid/storage/log.h"
#include "kpid/storage/storage.h"

#include <fmt/format.h>
#include <sched.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace kpid::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kStartMax{60};
constexpr std::chrono::seconds kMergeMax{60};
constexpr std::chrono::seconds kStableFor{3};

std::uint64_t bytes_below(const fs::path& folder) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), none; !error && entry != none;
         entry.increment(error)) {
        std::error_code gone;
        const bool is_file = entry->is_regular_file(gone) && !entry->is_symlink(gone);
        const std::uintmax_t size = is_file ? entry->file_size(gone) : std::uintmax_t{0};
        bytes += gone ? 0 : size;
    }
    return bytes;
}

std::int64_t now_ms() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

Result<void> call(std::uint16_t port, std::string_view method, std::string_view path) {
    KPID_TRY(HttpConnection connection, HttpConnection::open(port));
    KPID_TRY(const auto response, connection.request(method, path, "", ""));
    if (response.status / 100 != 2) {
        return unavailable(fmt::format("{} answered {}: {}", path, response.status, response.body));
    }
    return {};
}

class Kpid final : public WriteServer {
public:
    Result<void> start_program(const std::string& program) {
        std::ofstream(folder_.file("kpid.yaml")) << "limits: {series: 2M}\n";
        port_ = free_port();
        return start({program, "--config.file=" + folder_.file("kpid.yaml"),
                      "--storage.path=" + folder_.file("data"),
                      fmt::format("--web.listen-address=127.0.0.1:{}", port_)},
                     "/-/ready");
    }
    /// After a proper end and the checkpoint that would follow within a quarter of an hour: chunks,
    /// sealed or open, and all else but the definitions.
    Result<DiskUse> disk_use() override {
        process_.reset();
        KPID_CHECK_OK(write_chunks());
        KPID_TRY(const auto log, storage::open_rocks_log(folder_.file("data")));
        for (const storage::LogTable table : storage::kLogTables) {
            KPID_CHECK_OK(log->tidy(table));
        }
        const auto table_bytes = log->stats().table_bytes;
        DiskUse use;
        for (std::size_t i = 0; i < storage::kLogTables.size(); ++i) {
            const bool is_index = storage::kLogTables[i] == storage::LogTable::kSeries;
            (is_index ? use.index_bytes : use.data_bytes) += table_bytes[i];
        }
        return use;
    }

private:
    [[nodiscard]] Result<void> write_chunks() const {
        KPID_TRY(const auto storage, storage::Storage::open({.path = folder_.file("data")}));
        return storage->checkpoint(Timestamp(now_ms()));
    }
};

class Prometheus final : public WriteServer {
public:
    Result<void> start_program(const std::string& program) {
        std::ofstream(folder_.file("prometheus.yml")) << "global: {scrape_interval: 1h}\n";
        port_ = free_port();
        return start(
            {program, "--config.file=" + folder_.file("prometheus.yml"),
             "--storage.tsdb.path=" + folder_.file("data"), "--web.enable-remote-write-receiver",
             "--web.enable-admin-api", fmt::format("--web.listen-address=127.0.0.1:{}", port_)},
            "/-/ready");
    }
    /// A snapshot holds the samples in memory as blocks.
    Result<DiskUse> disk_use() override {
        KPID_CHECK_OK(call(port_, "POST", "/api/v1/admin/tsdb/snapshot"));
        DiskUse use;
        std::error_code error;
        const fs::path snapshots = fs::path(folder_.file("data")) / "snapshots";
        for (fs::recursive_directory_iterator entry(snapshots, error), none;
             !error && entry != none; entry.increment(error)) {
            if (entry->path().filename() == "chunks") {
                use.data_bytes += bytes_below(entry->path());
            } else if (entry->path().filename() == "index") {
                use.index_bytes += entry->file_size();
            }
        }
        return use;
    }
};

class VictoriaMetrics final : public WriteServer {
public:
    Result<void> start_program(const std::string& program) {
        port_ = free_port();
        return start({program, "-storageDataPath=" + folder_.file("data"), "-retentionPeriod=1y",
                      fmt::format("-httpListenAddr=127.0.0.1:{}", port_)},
                     "/health");
    }
    Result<DiskUse> disk_use() override {
        KPID_CHECK_OK(call(port_, "GET", "/internal/force_flush"));
        KPID_CHECK_OK(call(port_, "GET", "/internal/force_merge"));
        // It merges in the background: until the size has stood still for a while.
        const fs::path data = fs::path(folder_.file("data"));
        const auto deadline = SteadyClock::now() + kMergeMax;
        DiskUse use;
        auto stable_since = SteadyClock::now();
        while (SteadyClock::now() < deadline && SteadyClock::now() < stable_since + kStableFor) {
            const std::uint64_t bytes = bytes_below(data / "data");
            if (bytes != use.data_bytes) {
                stable_since = SteadyClock::now();
            }
            use.data_bytes = bytes;
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        use.index_bytes = bytes_below(data / "indexdb");
        return use;
    }
};

template <class Server>
Result<std::unique_ptr<WriteServer>> start_as(const std::string& program) {
    auto server = std::make_unique<Server>();
    const auto started = server->start_program(program);
    if (!started) {
        return unavailable(started.error().message + "; its log:\n" + server->log());
    }
    return std::unique_ptr<WriteServer>(std::move(server));
}

}  // namespace

std::uint64_t WriteServer::resident_bytes() const {
    std::ifstream status(fmt::format("/proc/{}/status", process_ ? process_->id() : 0));
    constexpr std::string_view kName = "VmRSS:";
    constexpr std::uint64_t kKibibyte = 1024;
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(kName)) {
            return std::strtoull(line.c_str() + kName.size(), nullptr, 10) * kKibibyte;
        }
    }
    return 0;
}

Result<void> WriteServer::start(std::vector<std::string> command, const std::string& ready_path) {
    // Each replaces itself by the next, so the process keeps its id. The peers are told that they
    // have one core, or their collector would be in their way.
    std::vector<std::string> pinned{"/usr/bin/env", "GOMAXPROCS=1", "taskset", "-c", "0"};
    pinned.insert(pinned.end(), command.begin(), command.end());
    KPID_TRY(ChildProcess process, ChildProcess::start(pinned, folder_.file("log")));
    process_.emplace(std::move(process));
    return wait_until_ready(port_, ready_path, kStartMax);
}

Result<std::unique_ptr<WriteServer>> start_kpid(const std::string& program) {
    return start_as<Kpid>(program);
}

Result<std::unique_ptr<WriteServer>> start_prometheus(const std::string& program) {
    return start_as<Prometheus>(program);
}

Result<std::unique_ptr<WriteServer>> start_victoria_metrics(const std::string& program) {
    return start_as<VictoriaMetrics>(program);
}

void stay_off_first_core() {
    const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 2) {
        return;
    }
    cpu_set_t others;
    CPU_ZERO(&others);
    for (long core = 1; core < cores && core < CPU_SETSIZE; ++core) {
        CPU_SET(static_cast<std::size_t>(core), &others);
    }
    ::sched_setaffinity(0, sizeof others, &others);
}

}  // namespace kpid::bench
