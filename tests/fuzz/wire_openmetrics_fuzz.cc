// OpenMetrics: nothing crashes, and what strict reading takes a scrape reads the same.

#include "kpid/base/assert.h"
#include "kpid/wire/exposition.h"

#include <cstdint>
#include <string_view>

using namespace kpid::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto scraped = parse_exposition(text, {.format = ExpositionFormat::kOpenMetrics});
    const auto strict = parse_exposition(
        text, {.format = ExpositionFormat::kOpenMetrics, .strictness = Strictness::kStrict});
    if (strict) {
        KPID_ASSERT(scraped.has_value());
        KPID_ASSERT(scraped->samples.size() == strict->samples.size());
        for (std::size_t i = 0; i < strict->samples.size(); ++i) {
            KPID_ASSERT(scraped->samples[i].labels.metric_name() ==
                        strict->samples[i].labels.metric_name());
        }
    }
    return 0;
}
