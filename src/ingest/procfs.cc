// The texts of /proc, line by line.
#include "ingest/procfs.h"

#include "kpid/base/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

namespace kpid::ingest {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr double kSectorBytes = 512;
constexpr std::size_t kFieldsMax = 64;

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    while (fields.size() < kFieldsMax) {
        const std::size_t begin = line.find_first_not_of(kBlanks);
        if (begin == std::string_view::npos) {
            break;
        }
        line.remove_prefix(begin);
        const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
        fields.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
    return fields;
}

template <class Visitor>
void for_each_line(std::string_view text, Visitor&& visit) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        visit(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::optional<double> number(std::string_view text) {
    const Result<double> value = parse_float(text);
    return value ? std::optional<double>(*value) : std::nullopt;
}

void read_cpu_line(const std::vector<std::string_view>& fields, double ticks_per_second,
                   HostSamples& out) {
    constexpr std::array<std::string_view, 8> kModes{"user",   "nice", "system",  "idle",
                                                     "iowait", "irq",  "softirq", "steal"};
    const std::string_view cpu = fields[0].substr(3);
    for (std::size_t i = 0; i < kModes.size() && i + 1 < fields.size(); ++i) {
        if (const auto ticks = number(fields[i + 1])) {
            out.add("node_cpu_seconds_total", *ticks / ticks_per_second,
                    {{"cpu", cpu}, {"mode", kModes[i]}});
        }
    }
    constexpr std::array<std::string_view, 2> kGuestModes{"user", "nice"};
    for (std::size_t i = 0; i < kGuestModes.size() && i + 9 < fields.size(); ++i) {
        if (const auto ticks = number(fields[i + 9])) {
            out.add("node_cpu_guest_seconds_total", *ticks / ticks_per_second,
                    {{"cpu", cpu}, {"mode", kGuestModes[i]}});
        }
    }
}

struct NameAndMetric {
    std::string_view name;
    std::string_view metric;
};
constexpr std::array<NameAndMetric, 6> kStatMetrics{{{"intr", "node_intr_total"},
                                                     {"ctxt", "node_context_switches_total"},
                                                     {"btime", "node_boot_time_seconds"},
                                                     {"processes", "node_forks_total"},
                                                     {"procs_running", "node_procs_running"},
                                                     {"procs_blocked", "node_procs_blocked"}}};

struct DiskField {
    std::string_view metric;
    double scale;
};
// From the fourth field of a line on; an empty name is not told.
constexpr std::array<DiskField, 11> kDiskFields{
    {{"node_disk_reads_completed_total", 1},
     {"node_disk_reads_merged_total", 1},
     {"node_disk_read_bytes_total", kSectorBytes},
     {"node_disk_read_time_seconds_total", 0.001},
     {"node_disk_writes_completed_total", 1},
     {"node_disk_writes_merged_total", 1},
     {"node_disk_written_bytes_total", kSectorBytes},
     {"node_disk_write_time_seconds_total", 0.001},
     {"node_disk_io_now", 1},
     {"node_disk_io_time_seconds_total", 0.001},
     {"node_disk_io_time_weighted_seconds_total", 0.001}}};

constexpr std::array<std::string_view, 16> kNetworkFields{
    "receive_bytes",  "receive_packets",  "receive_errs",       "receive_drop",
    "receive_fifo",   "receive_frame",    "receive_compressed", "receive_multicast",
    "transmit_bytes", "transmit_packets", "transmit_errs",      "transmit_drop",
    "transmit_fifo",  "transmit_colls",   "transmit_carrier",   "transmit_compressed"};

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Partitions and memory disks: node_exporter leaves them out too.
bool is_ignored_disk(std::string_view device) {
    const std::size_t stem_size = device.find_last_not_of("0123456789") + 1;
    if (stem_size == device.size()) {
        return false;
    }
    const std::string_view stem = device.substr(0, stem_size);
    if (stem == "ram" || stem == "zram" || stem == "loop" || stem == "fd") {
        return true;
    }
    for (const std::string_view prefix : {"hd", "sd", "vd", "xvd"}) {
        if (stem.starts_with(prefix) && stem.size() == prefix.size() + 1) {
            return true;
        }
    }
    // nvme0n1p2
    return stem.starts_with("nvme") && stem.ends_with('p');
}

std::string unescape_mount(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && is_digits(text.substr(i + 1, 3))) {
            unsigned code = 0;
            const auto [end, failure] =
                std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8);
            if (failure == std::errc() && end == text.data() + i + 4 && code < 256) {
                plain += static_cast<char>(code);
                i += 3;
                continue;
            }
        }
        plain += text[i];
    }
    return plain;
}

bool is_below(std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

constexpr std::array<std::string_view, 30> kKernelTypes{
    "autofs",     "binfmt_misc", "bpf",        "cgroup",      "cgroup2",         "configfs",
    "debugfs",    "devpts",      "devtmpfs",   "efivarfs",    "fusectl",         "hugetlbfs",
    "iso9660",    "mqueue",      "nsfs",       "proc",        "procfs",          "pstore",
    "rpc_pipefs", "securityfs",  "selinuxfs",  "squashfs",    "sysfs",           "tracefs",
    "ramfs",      "rootfs",      "fuse.lxcfs", "fuse.portal", "fuse.gvfsd-fuse", "nfsd"};
constexpr std::array<std::string_view, 18> kNetworkTypes{
    "nfs",  "nfs4",   "cifs", "smb3",  "smbfs",     "ncpfs",  "afs",   "coda",  "9p",
    "ceph", "lustre", "gfs2", "ocfs2", "glusterfs", "beegfs", "davfs", "sshfs", "virtiofs"};

bool is_ignored_mount(const Mount& mount) {
    const auto is_type = [&](std::string_view type) { return type == mount.type; };
    if (std::any_of(kKernelTypes.begin(), kKernelTypes.end(), is_type) ||
        std::any_of(kNetworkTypes.begin(), kNetworkTypes.end(), is_type)) {
        return true;
    }
    // A file system of a user's program may be remote and may stop to answer.
    if (mount.type.starts_with("fuse.") || (mount.type == "overlay" && mount.mount_point != "/")) {
        return true;
    }
    for (const std::string_view folder :
         {"/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker", "/var/lib/containers"}) {
        if (is_below(mount.mount_point, folder)) {
            return true;
        }
    }
    return false;
}

}  // namespace

void HostSamples::add(std::string_view name, double value,
                      std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
    if (samples_.size() >= kSamplesMax) {
        return;
    }
    std::vector<model::Label> all{{std::string(model::kMetricName), std::string(name)}};
    for (const auto& [label, text] : labels) {
        all.push_back({std::string(label), std::string(text)});
    }
    samples_.push_back({model::Labels::from(std::move(all)), at_, value});
}

void read_stat(std::string_view text, double ticks_per_second, HostSamples& out) {
    for_each_line(text, [&](std::string_view line) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (fields.size() < 2) {
            return;
        }
        if (fields[0].starts_with("cpu")) {
            if (is_digits(fields[0].substr(3))) {
                read_cpu_line(fields, ticks_per_second, out);
            }
            return;
        }
        for (const NameAndMetric& known : kStatMetrics) {
            const auto value = number(fields[1]);
            if (known.name == fields[0] && value) {
                out.add(known.metric, *value);
            }
        }
    });
}

void read_meminfo(std::string_view text, HostSamples& out) {
    for_each_line(text, [&](std::string_view line) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (fields.size() < 2 || !fields[0].ends_with(':')) {
            return;
        }
        const auto value = number(fields[1]);
        if (!value) {
            return;
        }
        // Active(anon): is Active_anon.
        std::string name(fields[0].substr(0, fields[0].size() - 1));
        std::erase(name, ')');
        std::replace(name.begin(), name.end(), '(', '_');
        const bool is_kib = fields.size() > 2 && fields[2] == "kB";
        out.add("node_memory_" + name + (is_kib ? "_bytes" : ""), *value * (is_kib ? 1024 : 1));
    });
}

void read_loadavg(std::string_view text, HostSamples& out) {
    const std::vector<std::string_view> fields = fields_of(text);
    constexpr std::array<std::string_view, 3> kNames{"node_load1", "node_load5", "node_load15"};
    for (std::size_t i = 0; i < kNames.size() && i < fields.size(); ++i) {
        if (const auto value = number(fields[i])) {
            out.add(kNames[i], *value);
        }
    }
}

void read_net_dev(std::string_view text, HostSamples& out) {
    for_each_line(text, [&](std::string_view line) {
        const std::size_t colon = line.rfind(':');
        if (colon == std::string_view::npos || line.find('|') != std::string_view::npos) {
            return;
        }
        const std::vector<std::string_view> device = fields_of(line.substr(0, colon));
        const std::vector<std::string_view> fields = fields_of(line.substr(colon + 1));
        if (device.size() != 1) {
            return;
        }
        for (std::size_t i = 0; i < kNetworkFields.size() && i < fields.size(); ++i) {
            if (const auto value = number(fields[i])) {
                out.add("node_network_" + std::string(kNetworkFields[i]) + "_total", *value,
                        {{"device", device[0]}});
            }
        }
    });
}

void read_diskstats(std::string_view text, HostSamples& out) {
    for_each_line(text, [&](std::string_view line) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (fields.size() < 14 || is_ignored_disk(fields[2])) {
            return;
        }
        for (std::size_t i = 0; i < kDiskFields.size(); ++i) {
            if (const auto value = number(fields[i + 3])) {
                out.add(kDiskFields[i].metric, *value * kDiskFields[i].scale,
                        {{"device", fields[2]}});
            }
        }
    });
}

void read_file_nr(std::string_view text, HostSamples& out) {
    std::string line(text);
    std::erase(line, '\n');
    const std::vector<std::string_view> fields = fields_of(line);
    if (fields.size() != 3) {
        return;
    }
    const auto allocated = number(fields[0]);
    const auto maximum = number(fields[2]);
    if (allocated && maximum) {
        out.add("node_filefd_allocated", *allocated);
        out.add("node_filefd_maximum", *maximum);
    }
}

std::vector<Mount> read_mounts(std::string_view text) {
    std::vector<Mount> all;
    for_each_line(text, [&](std::string_view line) {
        const std::vector<std::string_view> fields = fields_of(line);
        if (fields.size() < 4) {
            return;
        }
        const std::string_view options = fields[3];
        all.push_back({.device = unescape_mount(fields[0]),
                       .mount_point = unescape_mount(fields[1]),
                       .type = std::string(fields[2]),
                       .read_only = options == "ro" || options.starts_with("ro,")});
    });
    std::map<std::string_view, std::size_t> newest;
    for (std::size_t i = 0; i < all.size(); ++i) {
        newest[all[i].mount_point] = i;
    }
    std::vector<Mount> mounts;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (newest[all[i].mount_point] == i && !is_ignored_mount(all[i])) {
            mounts.push_back(all[i]);
        }
    }
    return mounts;
}

void add_file_system(const Mount& mount, const FileSystemUsage& usage, HostSamples& out) {
    const auto add = [&](std::string_view name, double value) {
        out.add(
            name, value,
            {{"device", mount.device}, {"fstype", mount.type}, {"mountpoint", mount.mount_point}});
    };
    add("node_filesystem_size_bytes", usage.size_bytes);
    add("node_filesystem_free_bytes", usage.free_bytes);
    add("node_filesystem_avail_bytes", usage.available_bytes);
    add("node_filesystem_files", usage.files);
    add("node_filesystem_files_free", usage.files_free);
    add("node_filesystem_readonly", mount.read_only ? 1 : 0);
}

}  // namespace kpid::ingest
