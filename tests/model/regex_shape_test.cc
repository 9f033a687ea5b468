#include "kpid/model/regex_shape.h"

#include "kpid/model/regex.h"

#include <gtest/gtest.h>

#include <random>

namespace kpid::model {
namespace {

using Rest = RegexShape::Rest;
using Texts = std::vector<std::string>;

TEST(RegexShape, ListsTheLiteralsOfAnAlternation) {
    struct Case {
        std::string pattern;
        Texts want;
    };
    const std::vector<Case> cases{
        {"", {""}},
        {"abc", {"abc"}},
        {"b|a|b", {"a", "b"}},
        {"(?:a|b)c", {"ac", "bc"}},
        {"(a|b)(c|d)?", {"a", "ac", "ad", "b", "bc", "bd"}},
        {"a|", {"", "a"}},
        {"()", {""}},
        {R"(10\.0\.0\.1:9100|\|)", {"10.0.0.1:9100", "|"}},
        {"h[12-4_]", {"h1", "h2", "h3", "h4", "h_"}},
        {"ü?", {"", "ü"}},
        {"]}", {"]}"}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.pattern);
        const RegexShape shape = regex_shape(c.pattern);
        ASSERT_TRUE(shape.literals);
        EXPECT_EQ(*shape.literals, c.want);
    }
}

TEST(RegexShape, NamesThePrefixAndWhatFollowsIt) {
    struct Case {
        std::string pattern, prefix;
        Rest rest;
    };
    const std::vector<Case> cases{
        {".*", "", Rest::kAnything},           {"(.*)", "", Rest::kAnything},
        {".+", "", Rest::kSomething},          {"abc.*", "abc", Rest::kAnything},
        {"abc(.+?)", "abc", Rest::kSomething}, {"a(?:bc.*)", "abc", Rest::kAnything},
        {"abc.*d", "abc", Rest::kOther},       {"abc.*|abd", "ab", Rest::kOther},
        {"x|.*", "", Rest::kAnything},         {"(?:ab|ac).*", "a", Rest::kOther},
        {"ab+", "ab", Rest::kOther},           {"ab*", "a", Rest::kOther},
        {"abc.", "abc", Rest::kOther},         {"a[^b]c", "a", Rest::kOther},
        {"a[0-9]+b.*", "a", Rest::kOther},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.pattern);
        const RegexShape shape = regex_shape(c.pattern);
        EXPECT_FALSE(shape.literals);
        EXPECT_EQ(shape.prefix, c.prefix);
        EXPECT_EQ(shape.rest, c.rest);
    }
}

TEST(RegexShape, SaysNothingOfWhatItDoesNotRead) {
    for (const char* pattern : {"(?i)abc", "abc{2}", R"(abc\d)", "^abc$", R"(\Qa.b\E)",
                                "a[[:digit:]]", "(?P<x>abc)", "a[^]]|b", R"(abc\b.*)"}) {
        SCOPED_TRACE(pattern);
        const RegexShape shape = regex_shape(pattern);
        EXPECT_FALSE(shape.literals);
        EXPECT_EQ(shape.prefix, "");
        EXPECT_EQ(shape.rest, Rest::kOther);
    }
}

TEST(RegexShape, ListsNoMoreThanTheLimits) {
    std::string pattern = "x0";
    for (std::size_t i = 1; i < RegexShape::kLiteralsMax; ++i) {
        pattern += "|x" + std::to_string(i);
    }
    EXPECT_EQ(regex_shape(pattern).literals->size(), RegexShape::kLiteralsMax);
    EXPECT_FALSE(regex_shape(pattern + "|x").literals);
    EXPECT_EQ(regex_shape(pattern + "|x").prefix, "x");
    EXPECT_FALSE(regex_shape("a[0-9][0-9][0-9][0-9]").literals);
    EXPECT_EQ(regex_shape("a[0-9][0-9][0-9][0-9]").prefix, "a");
    EXPECT_FALSE(regex_shape(std::string(500, '(') + std::string(500, ')')).literals);
}

// Patterns of random pieces against RE2 itself, on all short texts.
TEST(RegexShape, AgreesWithTheExpression) {
    const Texts pieces{"a",     "b",      "ab", ".",    ".*", ".+", "a?",
                       "(a|b)", "(?:a|)", "|",  "[ab]", "b+", "a*", "\\."};
    Texts texts{""};
    for (std::size_t i = 0; i < texts.size(); ++i) {
        for (const char c : {'a', 'b', '.', 'c'}) {
            if (texts[i].size() < 4) {
                texts.push_back(texts[i] + c);
            }
        }
    }
    const std::uint64_t seed = 20261122;
    std::mt19937_64 random(seed);
    for (int round = 0; round < 2000; ++round) {
        std::string pattern;
        for (std::uint64_t i = random() % 6; i > 0; --i) {
            pattern += pieces[random() % pieces.size()];
        }
        SCOPED_TRACE(testing::Message()
                     << "seed " << seed << ", round " << round << ": " << pattern);
        const auto regex = Regex::compile(pattern);
        ASSERT_TRUE(regex);
        const RegexShape shape = regex_shape(pattern);
        for (const std::string& text : texts) {
            const bool matches = regex->full_match(text);
            if (shape.literals) {
                const bool listed =
                    std::binary_search(shape.literals->begin(), shape.literals->end(), text);
                ASSERT_EQ(matches, listed) << text;
                continue;
            }
            const bool begins = text.starts_with(shape.prefix);
            ASSERT_TRUE(begins || !matches) << text;
            if (shape.rest == Rest::kAnything) {
                ASSERT_EQ(matches, begins) << text;
            }
            if (shape.rest == Rest::kSomething) {
                ASSERT_EQ(matches, begins && text.size() > shape.prefix.size()) << text;
            }
        }
    }
}

}  // namespace
}  // namespace kpid::model
