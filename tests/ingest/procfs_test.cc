// The texts of /proc under node_exporter's names.

#include "ingest/procfs.h"

#include "ingest/collectors.h"
#include "ingest/ingest_fixture.h"
#include "support/source_dir.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

namespace kpid::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

std::string root() {
    return (kpid::testing::source_dir() / "tests/data/host").string();
}

std::string text_of(const std::string& path) {
    std::ifstream file(root() + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> lines(HostSamples samples) {
    std::vector<std::string> lines;
    for (const model::SeriesSample& sample : std::move(samples).take()) {
        lines.push_back(fmt::format("{} {}", sample.labels.to_string(), sample.value));
    }
    return lines;
}

template <class Reader>
std::vector<std::string> read(Reader reader, const std::string& path) {
    HostSamples samples(Timestamp(0));
    reader(text_of(path), samples);
    return lines(std::move(samples));
}

TEST(Procfs, ReadsProcessorTimesAndCounters) {
    const auto reader = [](std::string_view text, HostSamples& out) { read_stat(text, 100, out); };
    const std::vector<std::string> got = read(reader, "/proc/stat");
    EXPECT_EQ(got.size(), 2U * 10 + 6);
    EXPECT_THAT(got, IsSupersetOf({R"(node_cpu_seconds_total{cpu="0", mode="user"} 1)",
                                   R"(node_cpu_seconds_total{cpu="1", mode="idle"} 20)",
                                   R"(node_cpu_seconds_total{cpu="0", mode="steal"} 0.05)",
                                   R"(node_cpu_guest_seconds_total{cpu="0", mode="nice"} 0.02)",
                                   "node_intr_total 123456", "node_context_switches_total 987654",
                                   "node_boot_time_seconds 1790000000", "node_forks_total 4321",
                                   "node_procs_running 3", "node_procs_blocked 1"}));
}

TEST(Procfs, ReadsMemory) {
    EXPECT_THAT(read(read_meminfo, "/proc/meminfo"),
                UnorderedElementsAre(
                    "node_memory_MemTotal_bytes 2097152000", "node_memory_MemFree_bytes 524288000",
                    "node_memory_MemAvailable_bytes 1048576000",
                    "node_memory_Active_anon_bytes 4194304", "node_memory_HugePages_Total 2"));
}

TEST(Procfs, ReadsLoadAndOpenFiles) {
    EXPECT_THAT(read(read_loadavg, "/proc/loadavg"),
                ElementsAre("node_load1 0.5", "node_load5 1.25", "node_load15 2"));
    EXPECT_THAT(read(read_file_nr, "/proc/sys/fs/file-nr"),
                ElementsAre("node_filefd_allocated 1024", "node_filefd_maximum 65536"));
}

TEST(Procfs, ReadsNetworkDevices) {
    const std::vector<std::string> got = read(read_net_dev, "/proc/net/dev");
    EXPECT_EQ(got.size(), 32U);
    EXPECT_THAT(got, IsSupersetOf({R"(node_network_receive_bytes_total{device="lo"} 1000)",
                                   R"(node_network_receive_bytes_total{device="eth0"} 500)",
                                   R"(node_network_receive_errs_total{device="eth0"} 1)",
                                   R"(node_network_receive_drop_total{device="eth0"} 2)",
                                   R"(node_network_receive_multicast_total{device="eth0"} 3)",
                                   R"(node_network_transmit_packets_total{device="eth0"} 7)",
                                   R"(node_network_transmit_colls_total{device="eth0"} 6)",
                                   R"(node_network_transmit_carrier_total{device="eth0"} 8)"}));
}

TEST(Procfs, ReadsDisksButNotTheirPartitions) {
    const std::vector<std::string> got = read(read_diskstats, "/proc/diskstats");
    EXPECT_EQ(got.size(), 22U);
    EXPECT_THAT(got, IsSupersetOf({R"(node_disk_reads_completed_total{device="sda"} 100)",
                                   R"(node_disk_read_bytes_total{device="sda"} 1024000)",
                                   R"(node_disk_written_bytes_total{device="sda"} 512000)",
                                   R"(node_disk_io_time_seconds_total{device="sda"} 0.5)",
                                   R"(node_disk_io_now{device="nvme0n1"} 5)"}));
}

TEST(Procfs, ReadsMountsWorthTelling) {
    EXPECT_THAT(read_mounts(text_of("/proc/self/mounts")),
                ElementsAre(Mount{"/dev/sda1", "/", "ext4", false},
                            Mount{"/dev/sdb1", "/mnt/with blank", "ext4", true},
                            Mount{"tmpfs", "/run", "tmpfs", false},
                            Mount{"/dev/sdd1", "/data", "xfs", false}));
}

TEST(Procfs, LeavesOutWhatItDoesNotUnderstand) {
    for (const std::string& text :
         {std::string(), std::string("\n\n"), std::string(100'000, 'x'),
          std::string("cpu\ncpu0\ncpux 1\n"), std::string("cpu0 a b\nctxt\nctxt x\n"),
          std::string(":\n::: :\n"), std::string("a \\9 b\n")}) {
        HostSamples samples(Timestamp(0));
        read_stat(text, 100, samples);
        read_meminfo(text, samples);
        read_loadavg(text, samples);
        read_net_dev(text, samples);
        read_diskstats(text, samples);
        read_file_nr(text, samples);
        EXPECT_EQ(samples.size(), 0U) << text.substr(0, 40);
        EXPECT_TRUE(read_mounts(text).empty());
    }
}

class HostCollectorTest : public IngestFixture {
protected:
    HostCollectorTest()
        : metrics_(registry_),
          environment_{.appender = appender_,
                       .reader = storage_,
                       .state = storage_,
                       .client = transport_,
                       .timers = sim_.timers(),
                       .workers = workers_,
                       .metrics = metrics_,
                       .exemplars = exemplars_,
                       .log = Logger()} {}
    Result<Collected> collect(const std::string& root) {
        const std::unique_ptr<Collector> collector = make_host_collector(environment_, root);
        std::optional<Result<Collected>> collected = sim_.run(collector->collect(Timestamp(5000)));
        return std::move(collected).value_or(internal_error("it did not end"));
    }
    static std::set<std::string> names(const Collected& collected) {
        std::set<std::string> names;
        for (const model::SeriesSample& sample : collected.samples) {
            names.emplace(sample.labels.metric_name());
        }
        return names;
    }

    Metrics metrics_;
    Environment environment_;
};

TEST_F(HostCollectorTest, BringsEverythingBelowItsRoot) {
    const Result<Collected> collected = collect(root());
    ASSERT_TRUE(collected.has_value());
    EXPECT_THAT(names(*collected),
                IsSupersetOf({"node_cpu_seconds_total", "node_memory_MemTotal_bytes", "node_load1",
                              "node_network_receive_bytes_total", "node_disk_read_bytes_total",
                              "node_filesystem_avail_bytes", "node_uname_info", "node_time_seconds",
                              "node_filefd_allocated"}));
}

TEST_F(HostCollectorTest, BringsThisMachine) {
    const Result<Collected> collected = collect("");
    ASSERT_TRUE(collected.has_value());
    EXPECT_THAT(names(*collected), IsSupersetOf({"node_cpu_seconds_total", "node_load1",
                                                 "node_memory_MemAvailable_bytes"}));
}

TEST_F(HostCollectorTest, FailsWithoutProc) {
    const Result<Collected> collected = collect("/nowhere");
    ASSERT_FALSE(collected.has_value());
    EXPECT_THAT(collected.error().message, ::testing::HasSubstr("/nowhere/proc/stat"));
}

}  // namespace
}  // namespace kpid::ingest
