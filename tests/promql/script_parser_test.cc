// What scripts say, and what is wrong with a script itself.

#include "promql/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace kpid::promql::testing {
namespace {

using ::testing::HasSubstr;

const Evaluation& evaluation_of(const Script& script, std::size_t index) {
    return std::get<Evaluation>(script.commands.at(index).what);
}

TEST(ScriptParser, ReadsCommandsWithTheirLines) {
    const Script script = parse_script(
        "# A comment ends a block.\n"
        "clear\n"
        "load_with_nhcb 30s\n"
        "  a_bucket{le=\"1\"}@st _ -1mx2\n"
        "  a_bucket{le=\"1\"} _ 1+1x2\n"
        "\n"
        "eval range from 0 to 1m step 30s a_bucket\n"
        "  expect no_warn\n"
        "  expect info regex: x.*y\n"
        "  a_bucket{le=\"1\"} _ 1 2\n"
        "# a comment\n"
        "eval_ordered instant at 1m30s topk(1, a_bucket)\n"
        "  a_bucket 3\n");
    ASSERT_TRUE(script.errors.empty()) << script.errors[0].message;
    ASSERT_EQ(script.commands.size(), 4U);
    EXPECT_TRUE(std::holds_alternative<ClearCommand>(script.commands[0].what));
    const auto& load = std::get<LoadCommand>(script.commands[1].what);
    EXPECT_TRUE(load.with_nhcb);
    EXPECT_TRUE(load.series.at(0).has_start_times);
    EXPECT_EQ(load.series[0].description.values.size(), 4U);
    EXPECT_EQ(script.commands[2].line, 7U);
    const Evaluation& range = evaluation_of(script, 2);
    EXPECT_TRUE(range.is_range);
    EXPECT_TRUE(range.no_warnings);
    EXPECT_EQ(range.infos.at(0).text, "x.*y");
    EXPECT_EQ(range.series.at(0).values.size(), 3U);
    EXPECT_EQ(evaluation_of(script, 3).start, Timestamp(90'000));
    EXPECT_TRUE(evaluation_of(script, 3).ordered);
}

TEST(ScriptParser, ReadsScalarsStringsAndRangeVectors) {
    const Script script = parse_script(
        "eval instant at 0 1\n  0x1f\n\n"
        "eval instant at 0 -1\n  -1e0\n\n"
        "eval instant at 0 'a'\n  expect string \"a\\tb\"\n\n"
        "eval instant at 1m a[1m]\n  expect range vector from 10s to 1m step 10s\n  a 1 2 3 4 5 "
        "6\n");
    ASSERT_TRUE(script.errors.empty()) << script.errors[0].message;
    EXPECT_EQ(evaluation_of(script, 0).scalar, 31.0);
    EXPECT_EQ(evaluation_of(script, 1).scalar, -1.0);
    EXPECT_EQ(evaluation_of(script, 2).string, "a\tb");
    EXPECT_EQ(evaluation_of(script, 3).range_vector->first, Timestamp(10'000));
    EXPECT_EQ(evaluation_of(script, 3).series.at(0).values.size(), 6U);
}

TEST(ScriptParser, NamesTheLineOfWhatIsWrongAndGoesOnBehindTheBlock) {
    struct Case {
        std::string_view text;
        std::size_t line;
        std::string_view message;
    };
    for (const Case& c : {
             Case{"ignore\n", 1, "invalid command \"ignore\""},
             Case{"load x\n  a 1\n", 1, "duration"},
             Case{"load 1m\n  a 1\n  a{ 1\n", 3, "parse error"},
             Case{"load 1m\n  a@st -1m\n  b 1\n", 3, "another's"},
             Case{"load 1m\n  a@st -1mx2\n  a 1\n", 3, "another's"},
             Case{"load 1m\n  a@st -1m\n", 2, "without a line of samples"},
             Case{"eval at 0 a\n", 1, "\"instant\" or \"range\""},
             Case{"eval instant 0 a\n", 1, "\"at\""},
             Case{"eval instant at 0\n", 1, "expected an expression"},
             Case{"eval_ordered range from 0 to 1 step 1 a\n", 1, "invalid command"},
             Case{"eval range from 1m to 0 step 1m a\n", 1, "before the start"},
             Case{"eval instant at 0 a\n  a 1 2\n", 2, "range vector"},
             Case{"eval instant at 0 a\n  expect warning\n", 2, "invalid expectation"},
             Case{"eval instant at 0 a\n  expect warn about: x\n", 2, "\"msg:\" or \"regex:\""},
             Case{"eval instant at 0 a\n  expect warn regex: (\n", 2, "("},
             Case{"eval instant at 0 a\n  expect warn\n  expect no_warn\n", 3, "exclude"},
             Case{"eval instant at 0 a\n  expect fail\n  expect fail\n", 3, "more than one"},
             Case{"eval instant at 0 a\n  expect string a\n", 2, "quoted"},
             Case{"eval instant at 0 a\n  1\n  a 2\n", 3, "scalar"},
         }) {
        SCOPED_TRACE(c.text);
        const Script script = parse_script(std::string(c.text) + "\nclear\n");
        ASSERT_EQ(script.errors.size(), 1U);
        EXPECT_EQ(script.errors[0].line, c.line);
        EXPECT_THAT(script.errors[0].message, HasSubstr(c.message));
        ASSERT_EQ(script.commands.size(), 1U);
        EXPECT_TRUE(std::holds_alternative<ClearCommand>(script.commands[0].what));
    }
}

TEST(ScriptParser, LeavesOutTheRestOfABlockThatIsWrong) {
    const Script script = parse_script("load x\n  nonsense\n  more\n\nclear\n");
    EXPECT_EQ(script.errors.size(), 1U);
    EXPECT_EQ(script.commands.size(), 1U);
}

}  // namespace
}  // namespace kpid::promql::testing
