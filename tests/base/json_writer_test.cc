#include "kpid/base/json_writer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kpid {
namespace {

TEST(JsonWriter, WritesNestedValuesWithCommas) {
    JsonWriter w;
    w.begin_object().key("a").begin_array().number(1).number(2.5).null().end_array();
    w.key("b").begin_object().end_object().key("c").boolean(true).end_object();
    EXPECT_EQ(w.text(), R"({"a":[1,2.5,null],"b":{},"c":true})");
}

TEST(JsonWriter, EscapesWhatJsonAndHtmlNeed) {
    JsonWriter w;
    w.string("a\"\\\n\x01<\xe2\x80\xa8\xff\xc3\xa4");
    EXPECT_EQ(w.text(), "\"a\\\"\\\\\\n\\u0001\\u003c\\u2028\\ufffd\xc3\xa4\"");
}

TEST(JsonWriter, NotFiniteIsNull) {
    JsonWriter w;
    w.begin_array().number(NAN).number(INFINITY).end_array();
    EXPECT_EQ(w.text(), "[null,null]");
}

TEST(Utf8, RefusesOverlongSurrogatesAndBeyond) {
    EXPECT_TRUE(is_valid_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    for (const char* bad :
         {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
        EXPECT_FALSE(is_valid_utf8(bad));
    }
}

}  // namespace
}  // namespace kpid
