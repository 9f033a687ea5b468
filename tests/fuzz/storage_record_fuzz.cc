// Any bytes as log records: they decode to something that encodes and decodes to itself, or they
// are refused.

#include "kpid/base/assert.h"
#include "storage/record.h"

#include <bit>
#include <cstdint>
#include <string_view>

namespace {

void check_samples(std::string_view bytes) {
    const auto samples = kpid::storage::decode_samples(bytes);
    if (!samples) {
        return;
    }
    const auto again = kpid::storage::decode_samples(kpid::storage::encode_samples(*samples));
    KPID_ASSERT(again.has_value());
    KPID_ASSERT(again->size() == samples->size());
    for (std::size_t i = 0; i < samples->size(); ++i) {
        KPID_ASSERT((*again)[i].series == (*samples)[i].series);
        KPID_ASSERT((*again)[i].time == (*samples)[i].time);
        KPID_ASSERT(std::bit_cast<std::uint64_t>((*again)[i].value) ==
                    std::bit_cast<std::uint64_t>((*samples)[i].value));
    }
}

void check_definition(std::string_view bytes) {
    const auto labels = kpid::storage::decode_definition(bytes);
    if (!labels) {
        return;
    }
    const auto again = kpid::storage::decode_definition(kpid::storage::encode_definition(*labels));
    KPID_ASSERT(again.has_value());
    KPID_ASSERT(*again == *labels);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The bytes of an input are bytes.
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check_samples(bytes);
    check_definition(bytes);
    (void)kpid::storage::decode_key(bytes).has_value();
    return 0;
}
