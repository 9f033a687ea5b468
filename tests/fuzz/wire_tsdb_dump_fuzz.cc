// Dumps: nothing crashes, and what was read is written as a dump and read back the same.

#include "kpid/base/assert.h"
#include "kpid/base/number.h"
#include "kpid/model/labels.h"
#include "kpid/wire/tsdb_dump.h"

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::string dump_line(const kpid::wire::TsdbDumpSample& sample) {
    std::string line = "{";
    for (const kpid::model::Label& label : sample.labels) {
        line += line.size() > 1 ? ", " : "";
        line += kpid::model::quote_label_value(label.name) + "=" +
                kpid::model::quote_label_value(label.value);
    }
    return line + "} " + kpid::format_float_text(sample.value) + " " +
           std::to_string(sample.time.ms()) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto samples = kpid::wire::parse_tsdb_dump(text);
    if (!samples) {
        KPID_ASSERT(samples.error().message.starts_with("line "));
        return 0;
    }
    std::string again;
    for (const kpid::wire::TsdbDumpSample& sample : *samples) {
        again += dump_line(sample);
    }
    const auto read = kpid::wire::parse_tsdb_dump(again);
    KPID_ASSERT(read.has_value());
    KPID_ASSERT(read->size() == samples->size());
    for (std::size_t i = 0; i < read->size(); ++i) {
        KPID_ASSERT((*read)[i].labels == (*samples)[i].labels);
        KPID_ASSERT((*read)[i].time == (*samples)[i].time);
        KPID_ASSERT(std::bit_cast<std::uint64_t>((*read)[i].value) ==
                    std::bit_cast<std::uint64_t>((*samples)[i].value));
    }
    return 0;
}
