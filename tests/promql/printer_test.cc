// The printer: Prometheus' form of expressions, and that it reads back.

#include "kpid/promql/printer.h"

#include "promql/parse_fixture.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace kpid::promql {
namespace {

using testing::printed;

TEST(Printer, WritesTheCanonicalForm) {
    struct Case {
        std::string_view text;
        std::string_view want;
    };
    const std::vector<Case> cases{
        {"SUM(up)BY(a,\"b.c\")", "sum by (a, \"b.c\") (up)"},
        {"sum by () (up)", "sum(up)"},
        {"sum without () (up)", "sum without () (up)"},
        {"topk by(a)(5,up)", "topk by (a) (5, up)"},
        {"up{b='x',a!=\"y\"}", "up{a!=\"y\",b=\"x\"}"},
        {"{__name__='up'}", "{__name__=\"up\"}"},
        {"{\"a.b\", 'c.d'=\"\\t\"}", "{\"c.d\"=\"\\t\",__name__=\"a.b\"}"},
        {"a==bool on(x)group_left b", "a == bool on (x) group_left () b"},
        {"a+ignoring()b", "a + b"},
        {"a+on()b", "a + on () b"},
        {"a + fill(0.5) b", "a + fill (0.5) b"},
        {"a + fill_right(1) b", "a + fill_right (1) b"},
        {"up offset 90s", "up offset 1m30s"},
        {"up offset -1d @ 1.5", "up @ 1.500 offset -1d"},
        {"up[120]@start()", "up[2m] @ start()"},
        {"up smoothed offset 5m", "up smoothed offset 5m"},
        {"up[5m]anchored@end()", "up[5m] anchored @ end()"},
        {"up[1h:]", "up[1h:]"},
        {"up[1h:1m] offset 1w", "up[1h:1m] offset 1w"},
        {"up[ ( 5m ) * 2 - step() ]", "up[(5m) * 2 - step()]"},
        {"up offset min_of(1m,-range())", "up offset min_of(1m, -range())"},
        {"- ( a )", "-(a)"},
        {"1e3+0x10", "1000 + 16"},
        {"inf", "+Inf"},
        {"inf ^ a", "Inf ^ a"},
        {"3m", "3m"},
        {"'a\"b'", "\"a\\\"b\""},
        {"info(up,{})", "info(up, {})"},
        {"time( )", "time()"},
        {"a</b", "a </ b"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(printed(c.text), c.want);
        EXPECT_EQ(printed(c.want), c.want);
    }
}

// Writes random expressions that the checks accept.
class Generator {
public:
    explicit Generator(unsigned seed) : engine_(seed) {}

    std::string vector(int depth) {
        if (depth <= 0) {
            return selector();
        }
        switch (pick(8)) {
            case 0:
                return "(" + vector(depth - 1) + ")";
            case 1:
                return "-" + vector(depth - 1);
            case 2:
                return one_of({"sum", "max by (a, sum)", "avg without (\"x.y\")"}) + "(" +
                       vector(depth - 1) + ")";
            case 3:
                return "topk(" + scalar(depth - 1) + ", " + vector(depth - 1) + ") by (z)";
            case 4:
                return one_of({"rate", "max_over_time"}) + "(" + matrix(depth - 1) + ")";
            case 5:
                return vector(depth - 1) +
                       one_of({" + ", " ^ ", " * on (a) group_left (b) ", " == bool ", " or ",
                               " and ignoring (c) ", " atan2 ", " - fill (1) "}) +
                       vector(depth - 1);
            case 6:
                return "(" + scalar(depth - 1) + one_of({" / ", " % ", " > "}) + selector() + ")";
            default:
                return "label_replace(" + vector(depth - 1) + ", 'a', `$1`, \"b\", '(.*)')";
        }
    }

private:
    unsigned pick(unsigned count) { return static_cast<unsigned>(engine_()) % count; }
    std::string one_of(const std::vector<std::string>& texts) {
        return texts[pick(static_cast<unsigned>(texts.size()))];
    }
    std::string selector() {
        return one_of({"up", "sum", "{\"a.b\"}", "x:y{a='b', c!~\"d.*\"}", "{e=`f`}"}) +
               one_of({"", "", " offset 5m", " @ 12.345", " @ end() offset -1h30m",
                       " offset -(step())", " anchored"});
    }
    std::string matrix(int depth) {
        if (depth > 0 && pick(2) == 0) {
            return "(" + vector(depth - 1) + ")" + one_of({"[1h:]", "[90:15s]", "[1h:step()]"}) +
                   one_of({"", " offset 1m"});
        }
        return one_of({"up", "a{b='c'}"}) +
               one_of({"[5m]", "[1h30m]", "[2 * 1m]", "[-step()+5m]"}) +
               one_of({"", " @ start()", " offset max_of(1m, 2m)"});
    }
    std::string scalar(int depth) {
        if (depth > 0 && pick(3) == 0) {
            return "scalar(" + vector(depth - 1) + ")";
        }
        return one_of({"1", "-2.5", "0x1f", "5m", "Inf", "-NaN", "1e-7", "time()"});
    }

    std::mt19937 engine_;
};

TEST(Printer, WhatItWritesReadsBackAsTheSame) {
    constexpr unsigned kSeed = 20260701;
    Generator generator(kSeed);
    for (int i = 0; i < 2000; ++i) {
        const std::string text = generator.vector(i % 7);
        SCOPED_TRACE(text);
        const ExprPtr tree = testing::parse(text);
        const std::string once = to_string(*tree);
        const ExprPtr again = testing::parse(once);
        ASSERT_EQ(to_string(*again), once) << "seed " << kSeed;
        const std::string pretty = to_pretty_string(*tree);
        const ExprPtr split = testing::parse(pretty);
        ASSERT_EQ(to_string(*split), once) << pretty;
        ASSERT_EQ(to_pretty_string(*split), pretty);
        ASSERT_EQ(testing::grouped(*again), testing::grouped(*tree));
        ASSERT_EQ(again->type, tree->type);
    }
}

TEST(Printer, SplitsWhatIsLongerThanALine) {
    const auto pretty = [](std::string_view text) {
        const auto expr = parse_expr(text);
        EXPECT_TRUE(expr.has_value()) << text;
        return expr ? to_pretty_string(**expr) : "";
    };
    const std::string a = "a" + std::string(60, 'a');
    const std::string b = "b" + std::string(60, 'b');
    EXPECT_EQ(pretty("sum(up)"), "sum(up)");
    EXPECT_EQ(pretty(a + "+on(x)" + b), "  " + a + "\n+ on (x)\n  " + b);
    EXPECT_EQ(pretty(a + "+" + b + "*bool_" + a),
              "  " + a + "\n+\n    " + b + "\n  *\n    bool_" + a);
    EXPECT_EQ(pretty("-(" + a + "+" + b + ")"), "-(\n    " + a + "\n  +\n    " + b + "\n)");
    EXPECT_EQ(pretty("topk by(x)(5," + a + "-" + b + ")"),
              "topk by (x) (\n  5,\n    " + a + "\n  -\n    " + b + "\n)");
    EXPECT_EQ(pretty("max_over_time(rate(" + a + b + "[1m])[1m:] @ start() offset 1m)"),
              "max_over_time(\n  rate(\n    " + a + b + "[1m]\n  )[1m:] @ start() offset 1m\n)");
    EXPECT_EQ(pretty("label_replace(" + a + ", \"" + b + "\", \"$1\", \"c\", \"\")"),
              "label_replace(\n  " + a + ",\n  \"" + b + "\",\n  \"$1\",\n  \"c\",\n  \"\"\n)");
    EXPECT_EQ(pretty("Inf ^ " + a + b), "  Inf\n^\n  " + a + b);
    // What is formatted once stays as it is.
    const std::string once = pretty(a + " + " + b + " * " + a);
    EXPECT_EQ(pretty(once), once);
    // One line beyond the limit on the work.
    const std::string large = "up{a=\"" + std::string(kPrettyBytesMax, 'x') + "\"} + up";
    EXPECT_EQ(pretty(large), large);
}

}  // namespace
}  // namespace kpid::promql
