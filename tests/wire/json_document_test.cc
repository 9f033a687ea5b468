// JSON as a flat list, and JSON Pointers into it.

#include "kpid/wire/json_document.h"

#include <gtest/gtest.h>

namespace kpid::wire {
namespace {

using Kind = JsonValue::Kind;

// The member of RFC 6901's own example document that a pointer names.
std::string at(std::string_view pointer) {
    static constexpr std::string_view kText =
        R"({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
            "k\"l": 6, " ": 7, "m~n": 8, "nest": [[1, [2, 3]], {"x": "y"}]})";
    const auto document = JsonDocument::parse(kText);
    EXPECT_TRUE(document);
    const auto parsed = JsonPointer::parse(pointer);
    if (!parsed) {
        return "bad pointer";
    }
    const auto value = document->root().at(*parsed);
    if (!value) {
        return "absent";
    }
    switch (value->kind()) {
        case Kind::kNumber:
            return std::to_string(static_cast<int>(value->number()));
        case Kind::kString:
            return std::string(value->string());
        default:
            return "entries: " + std::to_string(value->size());
    }
}

TEST(JsonPointer, FollowsTheRfc) {
    struct Case {
        std::string_view pointer;
        std::string_view want;
    };
    const Case cases[] = {
        {"", "entries: 11"},
        {"/foo", "entries: 2"},
        {"/foo/0", "bar"},
        {"/foo/1", "baz"},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/foo/2", "absent"},
        {"/foo/00", "absent"},
        {"/foo/-", "absent"},
        {"/foo/x", "absent"},
        {"/none", "absent"},
        {"/foo/0/1", "absent"},
        {"foo", "bad pointer"},
        {"/a~2", "bad pointer"},
        {"/a~", "bad pointer"},
        {"/nest/0/1/1", "3"},
        {"/nest/1/x", "y"},
        {"/foo/", "absent"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.pointer);
        EXPECT_EQ(at(c.pointer), c.want);
    }
}

TEST(JsonDocument, KeepsDuplicatesInOrder) {
    const auto document = JsonDocument::parse(R"({"a":1,"b":[],"a":2})");
    ASSERT_TRUE(document);
    std::string names;
    document->root().for_each([&](std::string_view name, JsonValue) { names += name; });
    EXPECT_EQ(names, "aba");
    EXPECT_EQ(document->root().member("a")->number(), 2);
}

TEST(JsonDocument, SurvivesAMove) {
    auto document =
        JsonDocument::parse(R"(["a text that is longer than a small string", "\u00e9"])");
    ASSERT_TRUE(document);
    const JsonDocument moved = *std::move(document);
    std::string all;
    moved.root().for_each([&](std::string_view, JsonValue value) { all += value.string(); });
    EXPECT_EQ(all, "a text that is longer than a small string\xc3\xa9");
}

TEST(JsonDocument, BoundsDepthAndValues) {
    const std::string deep =
        std::string(JsonLimits::kDepthMax + 2, '[') + std::string(JsonLimits::kDepthMax + 2, ']');
    EXPECT_FALSE(JsonDocument::parse(deep));
    EXPECT_TRUE(JsonDocument::parse("[1,2]", {.nodes_max = 3}));
    EXPECT_FALSE(JsonDocument::parse("[1,2,3]", {.nodes_max = 3}));
}

TEST(JsonDocument, ReadsScalarsAlone) {
    EXPECT_EQ(JsonDocument::parse(" 5 ")->root().number(), 5);
    EXPECT_EQ(JsonDocument::parse("\"x\"")->root().string(), "x");
    EXPECT_EQ(JsonDocument::parse("null")->root().kind(), Kind::kNull);
    EXPECT_EQ(JsonDocument::parse("true")->root().kind(), Kind::kTrue);
    for (const char* bad : {"nul", "tru", "5 6", "\"x\" y", "null1", "truex", "1e400"}) {
        SCOPED_TRACE(bad);
        EXPECT_FALSE(JsonDocument::parse(bad));
    }
}

}  // namespace
}  // namespace kpid::wire
