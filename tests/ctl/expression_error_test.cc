// The caret below what is wrong.
#include "ctl/expression_error.h"

#include <gtest/gtest.h>

#include <string>

namespace kpid::ctl {
namespace {

TEST(ExpressionError, PointsAtThePlace) {
    struct Case {
        std::string text;
        std::string message;
        std::string want;
    };
    const Case cases[] = {
        {"sum(up", "1:7: parse error: x", "1:7: parse error: x\n  sum(up\n        ^\n"},
        {"sum(\n\tup up)", "2:5: x", "2:5: x\n  \tup up)\n  \t   ^\n"},
        {"{a=\"ü\"} up", "1:10: x", "1:10: x\n  {a=\"ü\"} up\n          ^\n"},
        {"up", "1:9: beyond", "1:9: beyond\n"},
        {"up", "7:1: beyond", "7:1: beyond\n"},
        {"up", "invalid position: x", "invalid position: x\n"},
        {"up", "", "\n"}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.message);
        EXPECT_EQ(show_expression_error(c.text, c.message), c.want);
    }
}

TEST(ExpressionError, ShowsALongLineAroundThePlace) {
    const std::string text = std::string(200, 'a') + "!" + std::string(200, 'b');
    EXPECT_EQ(show_expression_error(text, "1:201: x"), "1:201: x\n  ..." + std::string(60, 'a') +
                                                           "!" + std::string(39, 'b') + "...\n" +
                                                           std::string(65, ' ') + "^\n");
}

}  // namespace
}  // namespace kpid::ctl
