// The host source: files of /proc, statvfs and uname on a worker.
#include "ingest/collectors.h"
#include "ingest/procfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace kpid::ingest {
namespace {

constexpr std::size_t kFileBytesMax = 8U << 20U;
constexpr std::size_t kMountsMax = 1000;

// Files of /proc have no size: they are read to their end.
Result<std::string> read_file(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                               &std::fclose);
    if (file == nullptr) {
        return unavailable(fmt::format("{}: {}", path, std::generic_category().message(errno)));
    }
    std::string text;
    std::array<char, 16'384> block{};
    while (text.size() < kFileBytesMax && std::feof(file.get()) == 0 &&
           std::ferror(file.get()) == 0) {
        const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
        text.append(block.data(), count);
    }
    if (std::ferror(file.get()) != 0) {
        return unavailable(fmt::format("{}: it cannot be read", path));
    }
    return text;
}

void add_mount(const std::string& root, const Mount& mount, HostSamples& out) {
    struct statvfs answer{};
    if (::statvfs((root + mount.mount_point).c_str(), &answer) != 0 || answer.f_blocks == 0) {
        // No right to look, or a file system without a size.
        return;
    }
    const auto block = static_cast<double>(answer.f_frsize);
    add_file_system(mount,
                    {.size_bytes = static_cast<double>(answer.f_blocks) * block,
                     .free_bytes = static_cast<double>(answer.f_bfree) * block,
                     .available_bytes = static_cast<double>(answer.f_bavail) * block,
                     .files = static_cast<double>(answer.f_files),
                     .files_free = static_cast<double>(answer.f_ffree)},
                    out);
}

void add_uname(HostSamples& out) {
    struct utsname name{};
    if (::uname(&name) != 0) {
        return;
    }
    const auto text = [](const auto& field) { return std::string_view(&field[0]); };
#ifdef _GNU_SOURCE
    const std::string_view domain = text(name.domainname);
#else
    const std::string_view domain = text(name.__domainname);
#endif
    out.add("node_uname_info", 1,
            {{"sysname", text(name.sysname)},
             {"release", text(name.release)},
             {"version", text(name.version)},
             {"machine", text(name.machine)},
             {"nodename", text(name.nodename)},
             {"domainname", domain}});
}

// Blocks. What is missing is left out, but a machine without /proc/stat is an error.
Result<Collected> read_host(const std::string& root, Timestamp at) {
    HostSamples samples(at);
    KPID_TRY(const std::string stat, read_file(root + "/proc/stat"));
    read_stat(stat, static_cast<double>(::sysconf(_SC_CLK_TCK)), samples);
    const std::array<std::pair<const char*, void (*)(std::string_view, HostSamples&)>, 5> files{
        {{"/proc/meminfo", read_meminfo},
         {"/proc/loadavg", read_loadavg},
         {"/proc/net/dev", read_net_dev},
         {"/proc/diskstats", read_diskstats},
         {"/proc/sys/fs/file-nr", read_file_nr}}};
    for (const auto& [path, read] : files) {
        if (const Result<std::string> text = read_file(root + path)) {
            read(*text, samples);
        }
    }
    if (const Result<std::string> text = read_file(root + "/proc/self/mounts")) {
        std::vector<Mount> mounts = read_mounts(*text);
        mounts.resize(std::min(mounts.size(), kMountsMax));
        for (const Mount& mount : mounts) {
            add_mount(root, mount, samples);
        }
    }
    add_uname(samples);
    samples.add("node_time_seconds", at.seconds());
    return Collected{.samples = std::move(samples).take()};
}

class HostCollector final : public Collector {
public:
    HostCollector(Environment& environment, std::string root)
        : environment_(environment), root_(std::move(root)) {}

    net::Task<Result<Collected>> collect(Timestamp at) override {
        Result<Collected> collected = co_await net::offload(
            environment_.workers, [this, at] { return read_host(root_, at); });
        co_return collected;
    }

private:
    Environment& environment_;
    const std::string root_;
};

}  // namespace

std::unique_ptr<Collector> make_host_collector(Environment& environment, std::string root) {
    return std::make_unique<HostCollector>(environment, std::move(root));
}

}  // namespace kpid::ingest
