// Any bytes as matchers: no crash, and what is written reads back as the same.

#include "kpid/alerting/matcher_parser.h"
#include "kpid/base/assert.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kpid::alerting;
    // Escapes make texts longer, and long ones are refused.
    constexpr std::size_t kBytesMax = 4096;
    if (size > kBytesMax) {
        return 0;
    }
    // The bytes of a string are bytes.
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(parse_matcher(text));
    for (const MatcherSyntax syntax :
         {MatcherSyntax::kFallback, MatcherSyntax::kUtf8, MatcherSyntax::kClassic}) {
        const auto matchers = parse_matchers(text, syntax);
        if (!matchers) {
            KPID_ASSERT(!matchers.error().message.empty());
            continue;
        }
        const auto again = parse_matchers(format_matchers(*matchers), MatcherSyntax::kUtf8);
        KPID_ASSERT(again.has_value());
        KPID_ASSERT(*again == *matchers);
    }
    return 0;
}
