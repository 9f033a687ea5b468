#include "kpid/model/matcher.h"

#include <gtest/gtest.h>

namespace kpid::model {
namespace {

bool matches(MatchType type, std::string_view pattern, std::string_view value) {
    return Matcher::make(type, "x", pattern).value().matches(value);
}

TEST(Matcher, RegexpsAreAnchoredAndDotMatchesNewlines) {
    EXPECT_TRUE(matches(MatchType::kRegexp, "a.b", "a\nb"));
    EXPECT_FALSE(matches(MatchType::kRegexp, "a", "ab"));
    EXPECT_TRUE(matches(MatchType::kRegexp, "a|bc", "bc"));
    EXPECT_FALSE(matches(MatchType::kRegexp, "a|b", "ab"));
    EXPECT_TRUE(matches(MatchType::kNotRegexp, "a", "ab"));
}

TEST(Matcher, EmptyMatchesAbsent) {
    const Labels labels{{"a", "1"}};
    EXPECT_TRUE(Matcher::equal("b", "").matches(labels));
    EXPECT_TRUE(Matcher::make(MatchType::kNotEqual, "b", "x").value().matches(labels));
    EXPECT_TRUE(Matcher::make(MatchType::kRegexp, "b", ".*").value().matches(labels));
    EXPECT_FALSE(Matcher::make(MatchType::kRegexp, "b", ".+").value().matches(labels));
}

TEST(Matcher, BadRegexpIsAnError) {
    const auto matcher = Matcher::make(MatchType::kRegexp, "x", "a(");
    ASSERT_FALSE(matcher.has_value());
    EXPECT_EQ(matcher.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace kpid::model
