#pragma once
// Reads the texts of Linux' /proc as samples under node_exporter's names.

#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/sample.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// Collects samples of one instant.
class HostSamples {
public:
    /// More than this of one machine are dropped.
    static constexpr std::size_t kSamplesMax = 100'000;

    explicit HostSamples(Timestamp at) : at_(at) {}
    void add(std::string_view name, double value,
             std::initializer_list<std::pair<std::string_view, std::string_view>> labels = {});
    [[nodiscard]] std::vector<model::SeriesSample> take() && { return std::move(samples_); }
    [[nodiscard]] std::size_t size() const { return samples_.size(); }

private:
    Timestamp at_;
    std::vector<model::SeriesSample> samples_;
};

/// Each reads the text of one file. Lines that are not understood are left out: kernels differ.
/// Pure.
void read_stat(std::string_view text, double ticks_per_second, HostSamples& out);
void read_meminfo(std::string_view text, HostSamples& out);
void read_loadavg(std::string_view text, HostSamples& out);
void read_net_dev(std::string_view text, HostSamples& out);
void read_diskstats(std::string_view text, HostSamples& out);
void read_file_nr(std::string_view text, HostSamples& out);

/// A line of /proc/self/mounts, its escapes resolved.
struct Mount {
    std::string device;
    std::string mount_point;
    std::string type;
    bool read_only = false;
    bool operator==(const Mount&) const = default;
};

/// The mounts whose space is worth telling: no kernel file systems, and no network ones, since a
/// dead server would block the question. Of several at one place the last, which is what is seen.
/// An overlay only at "/": a container's own disk.
[[nodiscard]] std::vector<Mount> read_mounts(std::string_view text);

/// What statvfs says.
struct FileSystemUsage {
    double size_bytes = 0;
    double free_bytes = 0;
    double available_bytes = 0;  ///< To others than root.
    double files = 0;
    double files_free = 0;
};
void add_file_system(const Mount& mount, const FileSystemUsage& usage, HostSamples& out);

}  // namespace kpid::ingest
