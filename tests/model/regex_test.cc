#include "kpid/model/regex.h"

#include <gtest/gtest.h>

namespace kpid::model {
namespace {

TEST(Regex, ExpandFollowsGo) {
    struct Case {
        std::string name, pattern, text, replacement, want;
    };
    const std::vector<Case> cases{
        {"number", "(.*):(.*)", "a:b", "$2-$1", "b-a"},
        {"braces", "(.*):(.*)", "a:b", "${1}x", "ax"},
        {"longest name", "(.*):(.*)", "a:b", "$1x", ""},
        {"named", "(?P<host>.*):.*", "h:1", "$host", "h"},
        {"dollar", "(.*)", "a", "$$1", "$1"},
        {"unknown group", "(.*)", "a", "x$9", "x"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        std::string out;
        ASSERT_TRUE(Regex::compile(c.pattern).value().expand(c.text, c.replacement, out));
        EXPECT_EQ(out, c.want);
    }
}

TEST(Regex, SaysWhatIsWrongAsGoDoes) {
    struct Case {
        std::string pattern, want;
    };
    const std::vector<Case> cases{
        {"[", "missing closing ]: `[`"},
        {"a(b", "missing closing ): `a(b`"},
        {"a)", "unexpected ): `a)`"},
        {"*a", "missing argument to repetition operator: `*`"},
        {"a**", "invalid nested repetition operator: `**`"},
        {"a{1001}", "invalid repeat count: `{1001}`"},
        {"\\q", "invalid escape sequence: `\\q`"},
        {"[b-a]", "invalid character class range: `b-a`"},
        {"a\\", "trailing backslash at end of expression: ``"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.pattern);
        const auto regex = Regex::compile(c.pattern);
        ASSERT_FALSE(regex.has_value());
        EXPECT_EQ(regex.error().message, "error parsing regexp: " + c.want);
    }
}

TEST(Regex, ReadsBothSpellingsOfGroupNames) {
    for (const char* pattern : {"(?P<x>a+)b", "(?<x>a+)b"}) {
        SCOPED_TRACE(pattern);
        const auto regex = Regex::compile(pattern);
        ASSERT_TRUE(regex);
        std::string out;
        EXPECT_TRUE(regex->expand("aab", "${x}", out));
        EXPECT_EQ(out, "aa");
    }
    EXPECT_TRUE(Regex::compile(R"([(?<]\(?<x>?)")->full_match("<(<x>"));
    EXPECT_FALSE(Regex::compile("(?<=a)b"));
}

TEST(Regex, ExpandRefusesWhatDoesNotMatchWhole) {
    std::string out;
    EXPECT_FALSE(Regex::compile("a").value().expand("ab", "x", out));
}

}  // namespace
}  // namespace kpid::model
