// Any bytes as expression, selector, metric and series: no crash, errors are worded, what prints
// reads back as the same.

#include "kpid/base/assert.h"
#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"
#include "kpid/promql/selectors.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::promql {
namespace {

void check_expression(std::string_view text, const ParseOptions& options) {
    const auto tree = parse_expr(text, options);
    if (!tree) {
        KPID_ASSERT(tree.error().code == Code::kInvalidArgument);
        KPID_ASSERT(!tree.error().message.empty());
        return;
    }
    KPID_ASSERT((*tree)->height <= options.depth_max);
    KPID_ASSERT((*tree)->position.end <= text.size());
    static_cast<void>(collect_selectors(**tree));
    const std::string once = to_string(**tree);
    const auto again = parse_expr(once, options);
    KPID_ASSERT(again.has_value());
    KPID_ASSERT(to_string(**again) == once);
    const std::string pretty = to_pretty_string(**tree);
    const auto split = parse_expr(pretty, options);
    KPID_ASSERT(split.has_value());
    KPID_ASSERT(to_string(**split) == once);
    KPID_ASSERT(to_pretty_string(**split) == pretty);
}

}  // namespace
}  // namespace kpid::promql

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace kpid::promql;
    // The bytes of a string are bytes.
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // Series expand: short texts suffice.
    constexpr std::size_t kBytesMax = 4096;
    if (size > kBytesMax) {
        return 0;
    }
    ParseOptions everything;
    everything.experimental_functions = true;
    everything.duration_expressions = true;
    everything.extended_range_selectors = true;
    everything.fill_modifiers = true;
    everything.depth_max = 100;
    check_expression(text, everything);
    static_cast<void>(parse_expr(text));
    static_cast<void>(parse_metric_selector(text));
    static_cast<void>(parse_metric(text));
    static_cast<void>(parse_series_description(text));
    return 0;
}
