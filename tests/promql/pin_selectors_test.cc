// `@` behind every selector.

#include "promql/pin_selectors.h"

#include "kpid/promql/parser.h"

#include <gtest/gtest.h>

#include <string_view>

namespace kpid::promql::testing {
namespace {

TEST(PinSelectors, PinsWhatIsNotPinnedYet) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    for (const Case& c : {
             Case{"up", "up @ 60.000"},
             Case{"sum by (job) (-(up) + on (job) group_left (x) b{a=\"1\"})",
                  "sum by (job) (-(up @ 60.000) + on (job) group_left (x) b{a=\"1\"} @ 60.000)"},
             Case{"rate(up[5m] offset 1m)", "rate(up[5m] @ 60.000 offset 1m)"},
             Case{"up @ 10 + up @ end()", "up @ 10.000 + up @ 60.000"},
             Case{"max_over_time(rate(up[5m])[1h:] offset 3s)",
                  "max_over_time(rate(up[5m])[1h:] @ 60.000 offset 3s)"},
             Case{"topk(scalar(k), up) == bool 1",
                  "topk(scalar(k @ 60.000), up @ 60.000) == bool 1"},
             Case{"1 + time()", "1 + time()"},
             Case{"'text'", "\"text\""},
         }) {
        SCOPED_TRACE(c.text);
        const auto expr = parse_expr(c.text);
        ASSERT_TRUE(expr.has_value()) << expr.error().message;
        EXPECT_EQ(pin_selectors(**expr, Timestamp(60'000)), c.want);
    }
}

}  // namespace
}  // namespace kpid::promql::testing
