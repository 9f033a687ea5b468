// What a receiver answers: Retry-After in any bytes.

#include "kpid/base/assert.h"
#include "notify/retry_policy.h"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kpid;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto wait = notify::parse_retry_after(text, Timestamp(1'800'000'000'000));
    // Whatever a receiver asks for, the wait is bounded.
    KPID_ASSERT(!wait || (*wait >= Duration(0) && *wait <= notify::kRetryAfterMax));
    return 0;
}
