// Strings and numbers as Go writes them.

#include "promql/quoting.h"

#include "kpid/promql/printer.h"
#include "promql/conformance_json.h"
#include "promql/number_literal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace kpid::promql {
namespace {

TEST(Quoting, ResolvesEscapes) {
    struct Case {
        std::string_view literal;
        std::string want;
    };
    const std::vector<Case> cases{
        {"\"\"", ""},        {"'it''s'", "?"},           {"'\\''", "'"},
        {"\"\\\"\"", "\""},  {"\"a\\tb\\n\"", "a\tb\n"}, {"'\\x41\\101\\u0041\\U00000041'", "AAAA"},
        {"'\\xff'", "\xff"}, {"'\\u20ac'", "\u20ac"},    {"`\\n`", "\\n"},
        {"`a\nb`", "a\nb"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.literal);
        const auto value = unquote(c.literal);
        if (c.want == "?") {
            EXPECT_FALSE(value.has_value());
        } else {
            EXPECT_EQ(value, c.want);
        }
    }
}

TEST(Quoting, RefusesWhatIsNoLiteral) {
    for (const std::string_view text :
         {"", "'", "'a\"", "abc", "'\\'", "'\\x1'", "'\\9'", "'\\400'", "'\\ud800'",
          "'\\U00110000'", "'\\\"'", "\"\\'\"", "'a\nb'", "`a`b`"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(unquote(text).has_value());
    }
}

TEST(Quoting, QuotesAsGoDoes) {
    EXPECT_EQ(quote_string("a\"b\\c"), "\"a\\\"b\\\\c\"");
    EXPECT_EQ(quote_string(std::string_view("\0\x04\x7f\n\t", 5)), "\"\\x00\\x04\\x7f\\n\\t\"");
    EXPECT_EQ(quote_string("\xff\xc3\xa9\u2028\U000e0001"), "\"\\xff\u00e9\\u2028\\U000e0001\"");
    EXPECT_EQ(quote_character(U'\''), "'\\''");
    EXPECT_EQ(quote_character(std::nullopt), "'\ufffd'");
    EXPECT_EQ(name_character(U'q'), "U+0071 'q'");
    EXPECT_EQ(name_character(U'\n'), "U+000A");
}

TEST(Quoting, WhatIsQuotedReadsBack) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string value = std::string("x") + static_cast<char>(byte) + "\u00e9'\"`\\";
        EXPECT_EQ(unquote(quote_string(value)), value) << byte;
    }
}

TEST(Quoting, DecodesOnlyValidUtf8) {
    EXPECT_TRUE(is_valid_utf8("a\u00e9\u20ac\U0001f600"));
    for (const std::string_view text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
        EXPECT_FALSE(is_valid_utf8(text));
    }
}

TEST(Quoting, AgreesWithConformance) {
    for (const auto& pair : conformance_cases("string-unquotetests.json")) {
        EXPECT_EQ(unquote(pair.text(0)), pair.text(1)) << pair.text(0);
    }
    for (const auto& text : conformance_cases("string-misquoted.json")) {
        EXPECT_FALSE(unquote(text.text()).has_value()) << text.text();
    }
    for (const auto& triple : conformance_cases("string-quotetests.json")) {
        EXPECT_EQ(quote_string(triple.text(0)), triple.text(1));
    }
}

TEST(NumberLiteral, ReadsGosNotation) {
    struct Case {
        std::string_view text;
        double want;
    };
    const std::vector<Case> cases{
        {"0", 0},          {"12", 12},    {"010", 8},
        {"08", 8},         {"0x1f", 31},  {"0X_1F", 31},
        {"0b101", 5},      {"0o17", 15},  {"1_000", 1000},
        {"1_0.5", 10.5},   {".5", 0.5},   {"5.", 5},
        {"1e3", 1000},     {"1e-400", 0}, {"9223372036854775808", 9223372036854775808.0},
        {"Inf", HUGE_VAL},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto value = parse_number_literal(c.text);
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(*value, c.want);
    }
    EXPECT_TRUE(std::isnan(*parse_number_literal("nan")));
}

TEST(NumberLiteral, RefusesOthers) {
    EXPECT_EQ(parse_number_literal("1e400").error().message,
              "strconv.ParseFloat: parsing \"1e400\": value out of range");
    for (const std::string_view text : {"", "0x", "1_", "_1", "1__0", "0x_", "0b2", "1e", "x"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(parse_number_literal(text).has_value());
    }
}

}  // namespace
}  // namespace kpid::promql
