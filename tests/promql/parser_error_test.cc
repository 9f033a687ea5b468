// The errors of the parser and of the static checks: their words and their places.

#include "promql/parse_fixture.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::promql {
namespace {

using testing::parse_error;

struct Case {
    std::string_view text;
    std::string_view want;
};

void expect_errors(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const std::string error = parse_error(c.text);
        const std::size_t words = error.find(": parse error: ");
        ASSERT_NE(words, std::string::npos) << error;
        EXPECT_EQ(error.substr(0, words) + " " + error.substr(words + 15), c.want);
    }
}

TEST(ParserError, NamesWhatIsUnexpected) {
    expect_errors({
        {"", "1:1 no expression found in input"},
        {" # nothing", "1:1 no expression found in input"},
        {"a b", "1:3 unexpected identifier \"b\""},
        {"a +", "1:4 unexpected end of input"},
        {"a\n+\n  =", "3:3 unexpected \"=\""},
        {"on", "1:1 unexpected <on>"},
        {"sum(a b)", "1:7 unexpected identifier \"b\" in aggregation"},
        {"sum by (x) a", "1:12 unexpected identifier \"a\" in aggregation"},
        {"sum(a) b", "1:8 unexpected identifier \"b\""},
        {"sum by x (a)", "1:8 unexpected identifier \"x\" in grouping opts, expected \"(\""},
        {"sum by (5) (a)", "1:9 unexpected number \"5\" in grouping opts, expected label"},
        {"sum by (a b) (c)",
         "1:11 unexpected identifier \"b\" in grouping opts, expected \",\" or \")\""},
        {"a[5m 6m]",
         "1:6 unexpected duration \"6m\" in subquery or range, expected \":\" or \"]\""},
        {"a[5m:6m 7m]", "1:9 unexpected duration \"7m\" in subquery selector, expected \"]\""},
        {"a[5m:*]",
         "1:6 unexpected <op:*> in subquery selector, expected number, duration, step(), range(), "
         "or \"]\""},
        {"a[5m+]",
         "1:6 unexpected \"]\" in subquery or range selector, expected number, duration, step(), "
         "or "
         "range()"},
        {"a offset b",
         "1:10 unexpected identifier \"b\" in offset, expected number, duration, step(), or "
         "range()"},
        {"a @ b", "1:5 unexpected identifier \"b\" in @, expected timestamp"},
        {"f(1,)", "1:4 trailing commas not allowed in function call args"},
        {"a{b}", "1:4 unexpected \"}\" in label matching, expected label matching operator"},
        {"a{b=c}", "1:5 unexpected identifier \"c\" in label matching, expected string"},
        {"a{b='c' d}",
         "1:9 unexpected identifier \"d\" in label matching, expected \",\" or \"}\""},
    });
}

TEST(ParserError, RefusesWhatMayNotStandThere) {
    expect_errors({
        {"(a)[5m]", "1:4 ranges only allowed for vector selectors"},
        {"a offset 1m[5m]", "1:12 no offset modifiers allowed before range"},
        {"a @ 1 [5m]", "1:7 no @ modifiers allowed before range"},
        {"(a) offset 1m",
         "1:1 offset modifier must be preceded by an instant vector selector or range vector "
         "selector or a subquery"},
        {"a offset 1m offset 2m", "1:1 offset may not be set multiple times"},
        {"1 @ 1",
         "1:1 @ modifier must be preceded by an instant vector selector or range vector selector "
         "or "
         "a subquery"},
        {"a @ 1 @ end()", "1:1 @ <timestamp> may not be set multiple times"},
        {"a @ NaN", "1:1 timestamp out of bounds for @ modifier: NaN"},
        {"a[0]", "1:3 duration must be greater than 0"},
        {"a[5m:0s]", "1:6 duration must be greater than 0"},
        {"a[1/0]", "1:4 division by zero"},
        {"a offset 1e11", "1:10 duration out of range"},
        {"a anchored smoothed", "1:1 anchored and smoothed modifiers cannot be used together"},
        {"a[5m:] anchored", "1:1 anchored modifier is not supported for subqueries"},
        {"1 smoothed", "1:1 smoothed modifier not implemented"},
        {"nothing(a)", "1:1 unknown function with name \"nothing\""},
        {"sum()", "1:1 no arguments for aggregate expression provided"},
        {"topk(a)",
         "1:1 wrong number of arguments for aggregate expression provided, expected 2, got 1"},
        {"sum by ('') (a)", "1:9 invalid label name for grouping: \"\""},
        {"1e999",
         "1:1 error parsing number: strconv.ParseFloat: parsing \"1e999\": value out of range"},
    });
}

TEST(ParserError, ChecksTypes) {
    expect_errors({
        {"rate(a)",
         "1:6 expected type range vector in call to function \"rate\", got instant vector"},
        {"sum(1)", "1:5 expected type instant vector in aggregation expression, got scalar"},
        {"topk('x', a)", "1:6 expected type scalar in aggregation parameter, got string"},
        {"count_values(1, a)", "1:14 expected type string in aggregation parameter, got scalar"},
        {"abs()", "1:1 expected 1 argument(s) in call to \"abs\", got 0"},
        {"label_join(a)", "1:1 expected at least 3 argument(s) in call to \"label_join\", got 1"},
        {"round(a, 1, 2)", "1:1 expected at most 2 argument(s) in call to \"round\", got 3"},
        {"a[5m] + 1", "1:1 binary expression must contain only scalar and instant vector types"},
        {"1 + 'x'", "1:5 binary expression must contain only scalar and instant vector types"},
        {"1 < 2", "1:3 comparisons between scalars must use BOOL modifier"},
        {"a + bool b", "1:3 bool modifier can only be used on comparison operators"},
        {"1 and 2", "1:1 set operator \"and\" not allowed in binary scalar expression"},
        {"a + on (x) 1", "1:1 vector matching only allowed between instant vectors"},
        {"a + fill (1) 1", "1:1 filling in missing series only allowed between instant vectors"},
        {"a or fill (1) b", "1:1 filling in missing series not allowed for set operators"},
        {"a or on (x) group_left b", "1:1 no grouping allowed for \"or\" operation"},
        {"a + on (x) group_left (x) b",
         "1:3 label \"x\" must not occur in ON and GROUP clause at once"},
        {"-'x'",
         "1:1 unary expression only allowed on expressions of type scalar or instant vector, got "
         "\"string\""},
        {"a[5m][5m:]", "1:1 subquery is only allowed on instant vector, got matrix instead"},
        {"{}", "1:1 vector selector must contain at least one non-empty matcher"},
        {"{a=~'.*'}", "1:1 vector selector must contain at least one non-empty matcher"},
        {"a{__name__='b'}", "1:1 metric name must not be set twice: \"a\" or \"b\""},
        {"a + on (x) group_left", "1:22 unexpected end of input in grouping opts, expected \"(\""},
        {"sum(a + on (x) group_right > b)",
         "1:28 unexpected <op:>> in grouping opts, expected \"(\""},
        {"sum() )", "1:8 unexpected right parenthesis ')'"},
        {"sum by (x) () 'y", "1:1 no arguments for aggregate expression provided"},
        {"info(a, b)", "1:9 expected label selectors only, got vector selector instead"},
        {"info(a, {b='c'} + 1)", "1:9 expected label selectors only"},
    });
}

TEST(ParserError, RefusesExperimentalPartsUnlessAsked) {
    const std::vector<Case> cases{
        {"sort_by_label(a, 'b')", "1:1: parse error: function \"sort_by_label\" is not enabled"},
        {"limitk(1, a)",
         "1:1: parse error: limitk() is experimental and must be enabled with "
         "--enable-feature=promql-experimental-functions"},
        {"a[5m+1m]", "1:3: parse error: experimental duration expression is not enabled"},
        {"a[step()]", "1:3: parse error: experimental duration expression is not enabled"},
        {"a anchored", "1:1: parse error: anchored modifier is experimental and not enabled"},
        {"a + fill (0) b",
         "1:3: parse error: binop fill modifiers are experimental and not enabled"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(parse_error(c.text, ParseOptions{}), c.want);
        EXPECT_EQ(parse_error(c.text), "");
    }
}

TEST(ParserError, CountsLinesAndColumnsInBytes) {
    EXPECT_EQ(line_and_column("ab\ncd", 0), "1:1");
    EXPECT_EQ(line_and_column("ab\ncd", 2), "1:3");
    EXPECT_EQ(line_and_column("ab\ncd", 3), "2:1");
    EXPECT_EQ(line_and_column("\u00e9x", 2), "1:3");
    EXPECT_EQ(line_and_column("ab", 3), "invalid position");
}

}  // namespace
}  // namespace kpid::promql
