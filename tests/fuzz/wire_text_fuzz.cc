// The text format: nothing crashes, what strict reading takes a scrape takes too, and what was read
// is written and read back the same.

#include "kpid/base/assert.h"
#include "kpid/wire/text_encoder.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

using namespace kpid::wire;

namespace {

void check_round_trip(const ParsedExposition& parsed) {
    for (const ParsedSample& sample : parsed.samples) {
        const MetricFamily family{.name = std::string(sample.labels.metric_name()),
                                  .samples = {{"", sample.labels, sample.value, sample.time}}};
        const auto again =
            parse_exposition(encode_exposition({&family, 1}, ExpositionFormat::kText),
                             {.strictness = Strictness::kStrict});
        KPID_ASSERT(again.has_value());
        KPID_ASSERT(again->samples.size() == 1);
        KPID_ASSERT(again->samples[0].labels == sample.labels);
        KPID_ASSERT(std::bit_cast<std::uint64_t>(again->samples[0].value) ==
                    std::bit_cast<std::uint64_t>(sample.value));
        KPID_ASSERT(again->samples[0].time == sample.time);
    }
}

// Only strict reading takes a sign before the timestamp ("-0" too).
bool may_have_signed_time(const ParsedExposition& parsed) {
    for (const ParsedSample& sample : parsed.samples) {
        if (sample.time && sample.time->ms() <= 0) {
            return true;
        }
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto scraped = parse_exposition(text, {});
    const auto strict = parse_exposition(text, {.strictness = Strictness::kStrict});
    if (strict && !may_have_signed_time(*strict)) {
        KPID_ASSERT(scraped.has_value());
        KPID_ASSERT(scraped->samples.size() == strict->samples.size());
    }
    if (scraped) {
        check_round_trip(*scraped);
    }
    return 0;
}
