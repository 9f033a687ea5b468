// Starts, feeds and asks the programs that the benchmarks with peers measure.

#include "bench/write_servers.h"

#include "bench/load_run.h"
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
// Taking ten thousand rules may take long.
constexpr std::chrono::seconds kAnswerMax{60};
constexpr std::chrono::seconds kMergeMax{60};
constexpr std::chrono::seconds kStableFor{3};
// A program is at rest in a second in which it used at most so much CPU time.
constexpr std::chrono::seconds kRestMax{120};
constexpr double kRestCpuSeconds = 0.03;

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

Result<void> call(std::uint16_t port, std::string_view method, std::string_view path) {
    KPID_TRY(HttpConnection connection, HttpConnection::open(port, kAnswerMax));
    KPID_TRY(const auto response, connection.request(method, path, "", ""));
    if (response.status / 100 != 2) {
        return unavailable(fmt::format("{} answered {}: {}", path, response.status, response.body));
    }
    return {};
}

class Kpid final : public WriteServer {
public:
    Result<void> start_program(const std::string& program) {
        std::ofstream(folder_.file("kpid.yaml")) << kConfig;
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

    Result<void> start_rules(const std::string& rules) override {
        std::ofstream(folder_.file("rules.yml")) << rules;
        std::ofstream(folder_.file("kpid.yaml")) << kConfig << "rule_files: [rules.yml]\n";
        return call(port_, "POST", "/-/reload");
    }

private:
    static constexpr const char* kConfig = "limits: {series: 2M}\n";

    [[nodiscard]] Result<void> write_chunks() const {
        KPID_TRY(const auto storage, storage::Storage::open({.path = folder_.file("data")}));
        return storage->checkpoint(Timestamp(now_ms()));
    }
};

class Prometheus final : public WriteServer {
public:
    Result<void> start_program(const std::string& program) {
        std::ofstream(folder_.file("prometheus.yml")) << kConfig;
        port_ = free_port();
        return start(
            {program, "--config.file=" + folder_.file("prometheus.yml"),
             "--storage.tsdb.path=" + folder_.file("data"), "--web.enable-remote-write-receiver",
             "--web.enable-admin-api", "--web.enable-lifecycle",
             fmt::format("--web.listen-address=127.0.0.1:{}", port_)},
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
    Result<void> start_rules(const std::string& rules) override {
        std::ofstream(folder_.file("rules.yml")) << rules;
        std::ofstream(folder_.file("prometheus.yml")) << kConfig << "rule_files: [rules.yml]\n";
        return call(port_, "POST", "/-/reload");
    }

private:
    static constexpr const char* kConfig = "global: {scrape_interval: 1h}\n";
};

class VictoriaMetrics final : public WriteServer {
public:
    Result<void> start_program(const std::string& program) {
        port_ = free_port();
        program_ = program;
        return start(
            {program, "-storageDataPath=" + folder_.file("data"), "-retentionPeriod=1y",
             "-search.latencyOffset=1ms", fmt::format("-httpListenAddr=127.0.0.1:{}", port_)},
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
    Result<void> settle(std::chrono::seconds rest) override {
        KPID_CHECK_OK(call(port_, "GET", "/internal/force_flush"));
        return WriteServer::settle(rest);
    }
    /// vmalert keeps ALERTS where it reads, as the others do, and tells somebody who only listens.
    Result<void> start_rules(const std::string& rules) override {
        std::ofstream(folder_.file("rules.yml")) << rules;
        sink_.emplace();
        rules_port_ = free_port();
        const std::string vmalert = fs::path(program_).parent_path() / "vmalert";
        return start_second({vmalert, "-rule=" + folder_.file("rules.yml"),
                             fmt::format("-datasource.url=http://127.0.0.1:{}", port_),
                             fmt::format("-remoteWrite.url=http://127.0.0.1:{}", port_),
                             fmt::format("-notifier.url=http://127.0.0.1:{}", sink_->port()),
                             fmt::format("-httpListenAddr=127.0.0.1:{}", rules_port_)},
                            rules_port_, "/health");
    }

private:
    std::string program_;
    std::optional<WebhookSink> sink_;
};

// Each replaces itself by the next, so the process keeps its id. The peers are told that they have
// one core, or their collector would be in their way.
std::vector<std::string> on_first_core(const std::vector<std::string>& command) {
    std::vector<std::string> pinned{"/usr/bin/env", "GOMAXPROCS=1", "taskset", "-c", "0"};
    pinned.insert(pinned.end(), command.begin(), command.end());
    return pinned;
}

std::uint64_t status_bytes(const std::optional<ChildProcess>& process, std::string_view name) {
    if (!process) {
        return 0;
    }
    std::ifstream status(fmt::format("/proc/{}/status", process->id()));
    constexpr std::uint64_t kKibibyte = 1024;
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name)) {
            return std::strtoull(line.c_str() + name.size(), nullptr, 10) * kKibibyte;
        }
    }
    return 0;
}

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

double WriteServer::cpu_seconds() const {
    return (process_ ? process_->cpu_seconds() : 0) +
           (second_process_ ? second_process_->cpu_seconds() : 0);
}

std::uint64_t WriteServer::resident_bytes() const {
    return status_bytes(process_, "VmRSS:") + status_bytes(second_process_, "VmRSS:");
}

std::uint64_t WriteServer::peak_bytes() const {
    return status_bytes(process_, "VmHWM:") + status_bytes(second_process_, "VmHWM:");
}

bool WriteServer::start_peak() const {
    bool begun = true;
    for (const auto* process : {&process_, &second_process_}) {
        if (*process) {
            // 5 sets the peak to what is resident: proc(5).
            std::ofstream file(fmt::format("/proc/{}/clear_refs", (*process)->id()));
            file << '5' << std::flush;
            begun = begun && file.good();
        }
    }
    return begun;
}

Result<void> WriteServer::settle(std::chrono::seconds rest) {
    const auto deadline = SteadyClock::now() + kRestMax;
    for (std::chrono::seconds calm{0}; calm < rest;) {
        if (SteadyClock::now() > deadline) {
            return unavailable("the program did not come to rest");
        }
        const double before = cpu_seconds();
        std::this_thread::sleep_for(std::chrono::seconds(1));
        calm = cpu_seconds() - before <= kRestCpuSeconds ? calm + std::chrono::seconds(1)
                                                         : std::chrono::seconds(0);
    }
    return {};
}

Result<void> WriteServer::start(const std::vector<std::string>& command,
                                const std::string& ready_path) {
    KPID_TRY(ChildProcess process,
             ChildProcess::start(on_first_core(command), folder_.file("log")));
    process_.emplace(std::move(process));
    return wait_until_ready(port_, ready_path, kStartMax);
}

Result<void> WriteServer::start_second(const std::vector<std::string>& command, std::uint16_t port,
                                       const std::string& ready_path) {
    KPID_TRY(ChildProcess process,
             ChildProcess::start(on_first_core(command), folder_.file("second_log")));
    second_process_.emplace(std::move(process));
    const Result<void> ready = wait_until_ready(port, ready_path, kStartMax);
    if (!ready) {
        return unavailable(ready.error().message + "; its log:\n" + second_process_->log());
    }
    return {};
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
