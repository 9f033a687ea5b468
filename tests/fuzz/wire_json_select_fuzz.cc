// JSON selection: the first line is a pointer, the rest the document.

#include "kpid/base/assert.h"
#include "kpid/wire/json_select.h"

#include <cstdint>
#include <string_view>

using namespace kpid::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos) {
        return 0;
    }
    const std::string pointer(text.substr(0, newline));
    const auto selector = JsonSelector::make(
        {.items = pointer,
         .metrics = {{.metric = "a", .value = "/v", .time = "/t", .labels = {{"l", pointer}}},
                     {.metric = "b", .value = ""}}});
    if (!selector) {
        return 0;
    }
    const auto selection = selector->select(text.substr(newline + 1), kpid::Timestamp(1000));
    if (selection) {
        KPID_ASSERT(selection->samples.size() + selection->error_count <=
                    2 * selection->item_count);
    }
    return 0;
}
