// The YAML tree: positions, merges, aliases, limits.

#include "config/yaml_reader.h"

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace kpid::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
    std::shared_ptr<const YamlDocument> document;
    std::vector<std::string> findings;
};

Read read(std::string text, const YamlLimits& limits = {}) {
    ErrorList errors;
    Read result;
    result.document = read_yaml("f.yaml", std::move(text), errors, limits);
    result.findings = testing::lines(std::move(errors).take());
    return result;
}

std::vector<std::string> keys(const YamlNode& node) {
    std::vector<std::string> names;
    for (const YamlEntry& entry : node.entries) {
        names.push_back(entry.key);
    }
    return names;
}

std::string repeat(const std::string& text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) {
        out += text;
    }
    return out;
}

TEST(YamlReader, KeepsScalarsAsText) {
    const Read result = read("a: on\nb: 1:30\nc: 0x10\nd: 'no'\ne: !!str 5\nf: ~\n");
    ASSERT_THAT(result.findings, IsEmpty());
    const YamlNode& root = *result.document->root;
    EXPECT_EQ(root.find("a")->text, "on");
    EXPECT_FALSE(root.find("a")->quoted);
    EXPECT_EQ(root.find("b")->text, "1:30");
    EXPECT_EQ(root.find("c")->text, "0x10");
    EXPECT_TRUE(root.find("d")->quoted);
    EXPECT_TRUE(root.find("e")->quoted);
    EXPECT_EQ(root.find("f")->kind, YamlKind::kNull);
}

TEST(YamlReader, KnowsWhereEverythingStands) {
    const Read result = read("# top\na:\n  - x\n  - {b: 'y'}\n");
    const YamlNode& list = *result.document->root->find("a");
    EXPECT_EQ(result.document->root->entries[0].position, (Position{2, 1}));
    EXPECT_EQ(list.items[0]->position, (Position{3, 5}));
    EXPECT_EQ(list.items[1]->find("b")->position, (Position{4, 9}));
}

TEST(YamlReader, NamesBothPlacesOfADuplicateKey) {
    const Read result = read("a: 1\nb: {c: 1, c: 2}\na: 2\n");
    EXPECT_THAT(result.findings,
                ElementsAre("f.yaml:2:11: error: duplicate key \"c\", first given at 2:5",
                            "f.yaml:3:1: error: duplicate key \"a\", first given at 1:1"));
    ASSERT_NE(result.document, nullptr);
    EXPECT_EQ(result.document->root->find("a")->text, "1");
}

TEST(YamlReader, MergesSoThatOwnKeysAndEarlierMapsWin) {
    const Read result =
        read("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 9\n");
    ASSERT_THAT(result.findings, IsEmpty());
    const YamlNode& merged = *result.document->root->find("z");
    EXPECT_THAT(keys(merged), ElementsAre("a", "b", "c"));
    EXPECT_EQ(merged.find("a")->text, "9");
    EXPECT_EQ(merged.find("b")->text, "1");
    EXPECT_EQ(merged.find("c")->text, "2");
}

TEST(YamlReader, TakesAQuotedMergeKeyAsAKey) {
    const Read result = read("'<<': {a: 1}\n");
    EXPECT_THAT(result.findings, IsEmpty());
    EXPECT_THAT(keys(*result.document->root), ElementsAre("<<"));
}

TEST(YamlReader, GivesNullForFilesWithoutContent) {
    for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "\xef\xbb\xbf"}) {
        SCOPED_TRACE(text);
        const Read result = read(text);
        ASSERT_NE(result.document, nullptr);
        EXPECT_EQ(result.document->root->kind, YamlKind::kNull);
        EXPECT_THAT(result.findings, IsEmpty());
    }
}

TEST(YamlReader, RefusesWhatIsNoTree) {
    struct Case {
        std::string name;
        std::string text;
        std::string want;
    };
    const std::vector<Case> cases{
        {"open list", "a: [1, 2\n", "f.yaml:2:1: error: not valid YAML"},
        {"tab", "a:\n\tb: 1\n", "indented with a tab"},
        {"second document", "a: 1\n---\nb: 2\n", "f.yaml:3:1: error: a second document"},
        {"undefined alias", "a: *b\n", "f.yaml:1:4: error: not valid YAML"},
        {"alias in its anchor", "a: &a [*a]\n", "f.yaml:1:8: error: an alias inside the value"},
        {"map as a key", "{a: 1}: 2\n", "f.yaml:1:1: error: a key must be text"},
        {"merge of text", "<<: x\n", "f.yaml:1:1: error: \"<<\" takes a map"},
        {"merge of a mixed list", "a: &a {b: 1}\nc: {<<: [*a, x]}\n", "\"<<\" takes a map"},
        {"unknown tag", "a: !secret x\n", "f.yaml:1:4: error: unknown tag \"!secret\""},
        {"invalid UTF-8", "a: \xff\n", "f.yaml:1:4: error: not valid UTF-8"},
        {"UTF-16",
         std::string("\xff\xfe"
                     "a\0",
                     4),
         "f.yaml:1:1: error: not valid UTF-8"},
        {"NUL", std::string("a: 1\nb: \0\n", 10), "f.yaml:2:4: error: control character 0x00"},
        {"end of transmission", "a: 1\n\x04", "f.yaml:2:1: error: control character 0x04"},
        {"only closing", repeat("]", 1000), "f.yaml:1:1: error: not valid YAML"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const Read result = read(one.text);
        EXPECT_EQ(result.document, nullptr);
        EXPECT_THAT(result.findings, ElementsAre(HasSubstr(one.want)));
    }
}

TEST(YamlReader, EndsAtAHundredLevels) {
    std::string blocks;
    for (int i = 0; i < 2000; ++i) {
        blocks += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
    }
    const std::vector<std::string> texts{
        repeat("[", 100'000),
        repeat("{a: ", 100'000),
        repeat("- ", 100'000),
        repeat("? ", 100'000),
        repeat("[", 101) + repeat("]", 101),
        blocks,
    };
    for (const std::string& text : texts) {
        SCOPED_TRACE(text.substr(0, 8));
        const Read result = read(text);
        EXPECT_EQ(result.document, nullptr);
        EXPECT_THAT(result.findings, ElementsAre(HasSubstr("nested deeper than 100 levels")));
    }
    EXPECT_NE(read(repeat("[", 100) + repeat("]", 100)).document, nullptr);
}

TEST(YamlReader, CountsAliasesTowardsItsLimits) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    std::string ladder = "a0: &a0 [x]\n";
    for (int i = 1; i < 120; ++i) {
        const std::string name = "a" + std::to_string(i);
        const std::string before = "a" + std::to_string(i - 1);
        ladder += name + ": &" + name + " [*" + before + "]\n";
        if (i < 12) {
            bomb += name + ": &" + name + " [" + repeat("*" + before + ", ", 9) + "]\n";
        }
    }
    EXPECT_THAT(read(bomb).findings, ElementsAre(HasSubstr("more than 200000 values")));
    EXPECT_THAT(read(ladder).findings, ElementsAre(HasSubstr("nested deeper than 100 levels")));
    EXPECT_THAT(read("[1, 2, 3]", {.nodes_max = 3}).findings,
                ElementsAre(HasSubstr("f.yaml:1:8: error: more than 3 values")));
}

TEST(YamlReader, FindsPlacesInsideScalars) {
    struct Case {
        std::string name;
        std::string text;
        std::size_t offset;
        Position want;
    };
    const std::vector<Case> cases{
        {"plain", "a: sum(x)\n", 4, {1, 8}},
        {"plain over two lines", "a: sum\n  (x)\n", 4, {2, 3}},
        {"single quotes", "a: 'it''s x'\n", 5, {1, 11}},
        {"double quotes", "a: \"\\\"x\\u00e9y\"\n", 4, {1, 14}},
        {"double quotes, line joined", "a: \"xy\\\n   z\"\n", 2, {2, 4}},
        {"literal block", "a: |\n  sum(\n    x\n  )\n", 7, {3, 5}},
        {"literal block, first line", "a: |-\n\n  sum(x)\n", 5, {3, 7}},
        {"folded block", "a: >\n  sum(\n  x)\n", 5, {3, 3}},
        {"anchor first", "a: &e sum(x)\n", 4, {1, 11}},
        {"tag first", "a: !!str 'x y'\n", 2, {1, 13}},
        {"its end", "a: xy\n", 2, {1, 6}},
        {"behind its end", "a: xy\n", 9, {1, 4}},
        {"CRLF", "a: 1\r\nb: 'x\r\n  y z'\r\n", 4, {3, 5}},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const Read result = read(one.text);
        ASSERT_NE(result.document, nullptr);
        const YamlNode& scalar = *result.document->root->entries.back().value;
        EXPECT_EQ(position_in_scalar(*result.document, scalar, one.offset), one.want)
            << scalar.text;
    }
}

}  // namespace
}  // namespace kpid::config
