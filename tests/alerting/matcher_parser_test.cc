// Matcher texts: own cases, then Alertmanager's tables.
#include "kpid/alerting/matcher_parser.h"

#include "support/conformance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::alerting {
namespace {

using simdjson::dom::element;

TEST(MatcherParser, ReadsBothSyntaxes) {
    struct Case {
        std::string input;
        std::string want;
    };
    for (const Case& c : std::vector<Case>{{"a=b", "{a=\"b\"}"},
                                           {"{a=~\"b.*\"}", "{a=~\"b.*\"}"},
                                           {" a = \"b\" , c!=d ", "{a=\"b\",c!=\"d\"}"},
                                           {"{\"a b\"!~\"c\"}", "{\"a b\"!~\"c\"}"},
                                           {"größe=XL", "{größe=\"XL\"}"},
                                           {"", "{}"},
                                           {"a=\"x,y\"", "{a=\"x,y\"}"},
                                           {"a=\"q\\\"q\"", "{a=\"q\\\"q\"}"},
                                           {"a=", "{a=\"\"}"}}) {
        SCOPED_TRACE(c.input);
        const auto parsed = parse_matchers(c.input);
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(format_matchers(*parsed), c.want);
    }
}

TEST(MatcherParser, SaysWhereItFails) {
    struct Case {
        std::string input;
        std::string want;
    };
    for (const Case& c : std::vector<Case>{{"{a=b", "0:4: end of input: expected close brace"},
                                           {"a=b}", "0:4: }: expected opening brace"},
                                           {"{a!b}", "2:3: !: invalid input"},
                                           {"{a=b}c", "5:6: c: expected end of input"},
                                           {"{a=\"b}", "3:6: \"b}: missing end \""},
                                           {"{a=~\"(\"}", "failed to create matcher: "}}) {
        SCOPED_TRACE(c.input);
        const auto parsed = parse_matchers(c.input, MatcherSyntax::kUtf8);
        ASSERT_FALSE(parsed);
        EXPECT_TRUE(parsed.error().message.starts_with(c.want)) << parsed.error().message;
    }
}

TEST(MatcherParser, TheClassicReadingWinsWhereBothRead) {
    EXPECT_EQ(parse_matcher(R"(a="\x41")")->value(), R"(\x41)");
    EXPECT_EQ(parse_matcher(R"(a="\x41")", MatcherSyntax::kUtf8)->value(), "A");
    EXPECT_FALSE(parse_matcher("größe=XL", MatcherSyntax::kClassic));
}

TEST(MatcherParser, RefusesWhatIsTooLarge) {
    EXPECT_FALSE(parse_matchers(std::string(kMatcherTextBytesMax + 1, 'a')));
    std::string many;
    for (std::size_t i = 0; i <= kMatchersMax; ++i) {
        many += "a=b,";
    }
    EXPECT_FALSE(parse_matchers(many));
}

std::string text_of(element object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

// The matcher that a table describes as a call of a constructor.
model::Matcher matcher_of(element call) {
    const simdjson::dom::array arguments = call["_args"].get_array();
    const std::string type = text_of(arguments.at(1), "_expr");
    const auto kind = type.ends_with("MatchEqual")       ? model::MatchType::kEqual
                      : type.ends_with("MatchNotEqual")  ? model::MatchType::kNotEqual
                      : type.ends_with("MatchNotRegexp") ? model::MatchType::kNotRegexp
                                                         : model::MatchType::kRegexp;
    return *model::Matcher::make(kind, std::string_view(arguments.at(2)),
                                 std::string_view(arguments.at(3)));
}

void run_table(const std::string& file, MatcherSyntax syntax, bool many) {
    const auto folder = kpid::testing::conformance_dir("alertmanager");
    if (!folder) {
        return;
    }
    simdjson::dom::parser parser;
    const element root = parser.load((*folder / file).string());
    for (const element c : root["cases"]) {
        const std::string input = text_of(c, "input");
        SCOPED_TRACE(file + ": " + input);
        std::string error = text_of(c, "error");
        if (error.empty()) {
            error = text_of(c, "err");
        }
        std::vector<model::Matcher> want;
        if (element expected; c["expected"].get(expected) == simdjson::SUCCESS) {
            if (expected.is_array()) {
                for (const element one : expected) {
                    want.push_back(matcher_of(one));
                }
            } else if (expected.is_object()) {
                want.push_back(matcher_of(expected));
            }
        }
        Result<std::vector<model::Matcher>> got = std::vector<model::Matcher>();
        if (many) {
            got = parse_matchers(input, syntax);
        } else if (auto one = parse_matcher(input, syntax)) {
            got->push_back(*one);
        } else {
            got = one.error();
        }
        if (error.empty()) {
            ASSERT_TRUE(got) << got.error().message;
            EXPECT_EQ(*got, want);
        } else {
            ASSERT_FALSE(got);
            EXPECT_EQ(got.error().message, error);
        }
    }
}

TEST(MatcherParser, ConformsToAlertmanager) {
    run_table("parse-TestMatcher-tests.json", MatcherSyntax::kUtf8, false);
    run_table("parse-TestMatchers-tests.json", MatcherSyntax::kUtf8, true);
    run_table("compat-TestFallbackMatcherParser-tests.json", MatcherSyntax::kFallback, false);
    run_table("compat-TestFallbackMatchersParser-tests.json", MatcherSyntax::kFallback, true);
}

TEST(MatcherParser, WritesAsAlertmanagerDoes) {
    const auto folder = kpid::testing::conformance_dir("alertmanager");
    if (!folder) {
        return;
    }
    simdjson::dom::parser parser;
    const element root = parser.load((*folder / "labels-TestMatcherString-tests.json").string());
    for (const element c : root["cases"]) {
        const std::string type = text_of(c["op"], "_id");
        const auto kind = type == "MatchEqual"       ? model::MatchType::kEqual
                          : type == "MatchNotEqual"  ? model::MatchType::kNotEqual
                          : type == "MatchNotRegexp" ? model::MatchType::kNotRegexp
                                                     : model::MatchType::kRegexp;
        EXPECT_EQ(
            format_matcher(*model::Matcher::make(kind, text_of(c, "name"), text_of(c, "value"))),
            text_of(c, "want"));
    }
}

}  // namespace
}  // namespace kpid::alerting
