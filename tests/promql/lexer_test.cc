// The lexer: which words a text is cut into, and where it is wrong.

#include "promql/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::promql {
namespace {

std::vector<TokenKind> kinds(std::string_view text, Lexer::Mode mode = Lexer::Mode::kExpression) {
    Lexer lexer(text, mode);
    std::vector<TokenKind> found;
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
        found.push_back(token.kind);
        if (token.kind == TokenKind::kError) {
            break;
        }
    }
    return found;
}

std::vector<std::string> texts(std::string_view text, Lexer::Mode mode = Lexer::Mode::kExpression) {
    Lexer lexer(text, mode);
    std::vector<std::string> found;
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
        found.emplace_back(token.kind == TokenKind::kError ? token.error : token.text);
    }
    return found;
}

TEST(Lexer, NamesEveryKindOfWord) {
    struct Case {
        std::string_view text;
        TokenKind want;
    };
    const std::vector<Case> cases{
        {"up", TokenKind::kIdentifier},
        {"a:b", TokenKind::kMetricIdentifier},
        {":x", TokenKind::kMetricIdentifier},
        {"12", TokenKind::kNumber},
        {".5", TokenKind::kNumber},
        {"0x1F", TokenKind::kNumber},
        {"1e+5", TokenKind::kNumber},
        {"iNf", TokenKind::kNumber},
        {"NaN", TokenKind::kNumber},
        {"1_000", TokenKind::kNumber},
        {"5m", TokenKind::kDuration},
        {"1h30m", TokenKind::kDuration},
        {"10ms", TokenKind::kDuration},
        {"'x'", TokenKind::kString},
        {"`x\ny`", TokenKind::kString},
        {"\"\\\"\"", TokenKind::kString},
        {"SUM", TokenKind::kAggregator},
        {"limit_ratio", TokenKind::kAggregator},
        {"Offset", TokenKind::kOffset},
        {"group_left", TokenKind::kGroupLeft},
        {"aNd", TokenKind::kAnd},
        {"start", TokenKind::kStart},
        {"</", TokenKind::kTrimUpper},
        {">=", TokenKind::kGreaterOrEqual},
        {"fill", TokenKind::kIdentifier},
        {"@", TokenKind::kAt},
        {"=", TokenKind::kEqual},
        {"min_of", TokenKind::kMinOf},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_THAT(kinds(c.text), ::testing::ElementsAre(c.want));
    }
}

TEST(Lexer, TakesFillAsKeywordOnlyBeforeParenthesis) {
    EXPECT_THAT(kinds("fill \n ("),
                ::testing::ElementsAre(TokenKind::kFill, TokenKind::kLeftParen, TokenKind::kError));
    EXPECT_THAT(
        kinds("fill_left + x"),
        ::testing::ElementsAre(TokenKind::kIdentifier, TokenKind::kAdd, TokenKind::kIdentifier));
}

TEST(Lexer, SkipsBlanksAndComments) {
    EXPECT_THAT(texts("a # b\n\t+ # c\n{# d\nx='#'}"),
                ::testing::ElementsAre("a", "+", "{", "x", "=", "'#'", "}"));
}

TEST(Lexer, KnowsNoKeywordsInsideBraces) {
    EXPECT_THAT(
        kinds("{by=\"x\"}"),
        ::testing::ElementsAre(TokenKind::kLeftBrace, TokenKind::kIdentifier, TokenKind::kEqual,
                               TokenKind::kString, TokenKind::kRightBrace));
}

TEST(Lexer, ReadsDurationsInBrackets) {
    EXPECT_THAT(texts("x[ -step() + 5m : 1h ]"),
                ::testing::ElementsAre("x", "[", "-", "step", "(", ")", "+", "5m", ":", "1h", "]"));
}

TEST(Lexer, CutsTheValuesOfSeries) {
    EXPECT_THAT(texts("m{a=\"b\"} 1 _x3  -2+3x4 stale", Lexer::Mode::kSeries),
                ::testing::ElementsAre("m", "{", "a", "=", "\"b\"", "}", " ", "1", " ", "_", "x",
                                       "3", "  ", "-", "2", "+", "3", "x", "4", " ", "stale"));
    EXPECT_THAT(texts("m {{sum:1 buckets:[1 Inf]}}x2", Lexer::Mode::kSeries),
                ::testing::ElementsAre("m", " ", "{{", "sum", ":", "1", " ", "buckets", ":", "[",
                                       "1", " ", "Inf", "]", "}}", "x", "2"));
}

TEST(Lexer, SaysWhatIsWrongAndEnds) {
    struct Case {
        std::string_view text;
        std::string_view want;
        std::uint32_t start;
    };
    const std::vector<Case> cases{
        {"a ~ b", "unexpected character: '~'", 2},
        {"a)", "unexpected right parenthesis ')'", 2},
        {"((a)", "unclosed left parenthesis", 4},
        {"a[5m", "unclosed left bracket", 4},
        {"a]", "unexpected right bracket ']'", 1},
        {"a[5m[", "unexpected left bracket '['", 4},
        {"a[:", "unexpected colon before duration in duration expression", 3},
        {"a[5m::", "unexpected colon ':'", 5},
        {"a[\"", "unexpected character in duration expression: '\"'", 2},
        {"a[5m x", "unexpected character: 'x', expected ':'", 5},
        {"{", "unexpected end of input inside braces", 1},
        {"{{", "unexpected left brace '{'", 1},
        {"{a!b", "unexpected character after '!' inside braces: 'b'", 2},
        {"!b", "unexpected character after '!': 'b'", 0},
        {"1..2", "bad number or duration syntax: \"1..\"", 0},
        {"0x1e", "bad number or duration syntax: \"0x1e\"", 0},
        {"5mm", "bad number or duration syntax: \"5mm\"", 0},
        {"1__0", "bad number or duration syntax: \"1__\"", 0},
        {"'a", "unterminated quoted string", 0},
        {"'a\n'", "unterminated quoted string", 0},
        {"`a", "unterminated raw string", 0},
        {"'\\q'", "unknown escape sequence U+0071 'q'", 0},
        {"'\\xg0'", "illegal character U+0067 'g' in escape sequence", 0},
        {"'\\ud800'", "escape sequence is an invalid Unicode code point", 0},
        {"'\\777'", "escape sequence is an invalid Unicode code point", 0},
        {"'\\u12", "escape sequence not terminated", 0},
        {"'\xff'", "invalid UTF-8 rune", 0},
        {"\u00bf", "unexpected character: '\u00bf'", 0},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        Lexer lexer(c.text);
        Token token = lexer.next();
        while (token.kind != TokenKind::kError && token.kind != TokenKind::kEnd) {
            token = lexer.next();
        }
        EXPECT_EQ(token.kind, TokenKind::kError);
        EXPECT_EQ(token.error, c.want);
        EXPECT_EQ(token.position.start, c.start);
        EXPECT_EQ(lexer.next().kind, TokenKind::kEnd);
    }
}

TEST(Token, IsDescribedAsMessagesNameIt) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const std::vector<Case> cases{
        {"up", "identifier \"up\""},
        {"a:b", "metric identifier \"a:b\""},
        {"5", "number \"5\""},
        {"5m", "duration \"5m\""},
        {"BY", "<BY>"},
        {"sum", "<aggr:sum>"},
        {"or", "<op:or>"},
        {"+", "<op:+>"},
        {"=", "\"=\""},
        {"", "end of input"},
        {"'a'", "string \"'a'\""},
        {"'abcdefghijkl'", "string \"'abcdefghi\"..."},
        {"start", "\"start\""},
        {",", "\",\""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(describe(Lexer(c.text).next()), c.want);
    }
}

}  // namespace
}  // namespace kpid::promql
