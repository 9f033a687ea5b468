// Any bytes as log records: they decode to something that encodes and decodes to itself, or they
// are refused.

#include "kpid/base/assert.h"
#include "storage/definition.h"
#include "storage/record.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

void check_record(std::string_view bytes) {
    const auto record = kpid::storage::decode_record(bytes);
    if (!record) {
        return;
    }
    if (record->kind == kpid::storage::RecordKind::kDeletion) {
        const auto again = kpid::storage::decode_record(
            kpid::storage::encode_deletion(record->deleted_series, record->deleted_range));
        KPID_ASSERT(again.has_value());
        KPID_ASSERT(again->deleted_series == record->deleted_series);
        return;
    }
    kpid::storage::SampleRecordWriter writer(record->kind, record->samples.size());
    for (const kpid::storage::RecordSample& sample : record->samples) {
        writer.add(sample.series, sample.time, sample.value);
    }
    const auto again = kpid::storage::decode_record(writer.finish());
    KPID_ASSERT(again.has_value());
    KPID_ASSERT(again->samples.size() == record->samples.size());
    for (std::size_t i = 0; i < record->samples.size(); ++i) {
        KPID_ASSERT(again->samples[i].series == record->samples[i].series);
        KPID_ASSERT(again->samples[i].time == record->samples[i].time);
        KPID_ASSERT(std::bit_cast<std::uint64_t>(again->samples[i].value) ==
                    std::bit_cast<std::uint64_t>(record->samples[i].value));
    }
}

void check_definitions(std::string_view bytes) {
    kpid::storage::DefinitionBlock block;
    if (!kpid::storage::decode_definitions(bytes, block)) {
        return;
    }
    kpid::storage::DefinitionWriter writer;
    for (std::size_t i = 0; i < block.size(); ++i) {
        writer.add(kpid::storage::SeriesId(i + 1), block.labels(i));
    }
    const auto blocks = writer.finish();
    KPID_ASSERT(blocks.size() == 1);
    kpid::storage::DefinitionBlock again;
    KPID_ASSERT(kpid::storage::decode_definitions(blocks[0].bytes, again).has_value());
    KPID_ASSERT(again.size() == block.size());
    for (std::size_t i = 0; i < block.size(); ++i) {
        KPID_ASSERT(std::ranges::equal(again.labels(i), block.labels(i)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The bytes of an input are bytes.
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check_record(bytes);
    check_definitions(bytes);
    (void)kpid::storage::decode_key(bytes).has_value();
    (void)kpid::storage::decode_open_entry(bytes).has_value();
    (void)kpid::storage::decode_meta(bytes).has_value();
    constexpr std::size_t kVersionKeyBytes = 24;
    const std::size_t key = bytes.size() < kVersionKeyBytes ? bytes.size() : kVersionKeyBytes;
    (void)kpid::storage::decode_version(bytes.substr(0, key), bytes.substr(key)).has_value();
    return 0;
}
