// The texts of /proc: nothing crashes, and what comes out can be stored.

#include "ingest/procfs.h"
#include "kpid/base/assert.h"

#include <cstdint>
#include <string_view>

using namespace kpid::ingest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    HostSamples out(kpid::Timestamp(0));
    read_stat(text, 100, out);
    read_meminfo(text, out);
    read_loadavg(text, out);
    read_net_dev(text, out);
    read_diskstats(text, out);
    read_file_nr(text, out);
    for (const Mount& mount : read_mounts(text)) {
        add_file_system(mount, {}, out);
    }
    KPID_ASSERT(out.size() <= HostSamples::kSamplesMax);
    for (const auto& sample : std::move(out).take()) {
        KPID_ASSERT(sample.labels.metric_name().starts_with("node_"));
    }
    return 0;
}
