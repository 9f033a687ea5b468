#include "http/json_indent.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

TEST(JsonIndent, PutsEachMemberOnALine) {
    EXPECT_EQ(indent_json(R"({"a":[1,{"b":"x"}],"c":{},"d":[]})"),
              "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\"\n    }\n  ],\n  \"c\": {},\n"
              "  \"d\": []\n}");
    EXPECT_EQ(indent_json(""), "");
}

TEST(JsonIndent, LeavesStringsAlone) {
    const std::string_view text = R"("a,{b}:[\"c\\\"d\\")";
    EXPECT_EQ(indent_json(text), text);
}

}  // namespace
}  // namespace kpid::http
