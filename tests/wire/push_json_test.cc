// The body of POST /api/v1/push.

#include "kpid/wire/push_json.h"

#include "wire/conformance_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kpid::wire {
namespace {

using ::testing::HasSubstr;

constexpr Timestamp kNow(1'000'000);

Result<PushBody> decode(std::string_view body) {
    return decode_push_json(body, kNow);
}

// The one error of a body with one item.
std::string item_error(std::string_view body) {
    const auto result = decode(body);
    if (!result) {
        return "whole body: " + result.error().message;
    }
    return result->errors.size() == 1 ? result->errors[0].error : "accepted";
}

TEST(PushJson, ReadsOneObject) {
    const auto result = decode(
        R"({"metric": "orders", "labels": {"shop": "a", "z": ""},
            "value": 1.5, "timestamp": "2026-07-01T12:00:00Z"})");
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->samples.size(), 1U);
    EXPECT_EQ(result->samples[0].labels.to_string(), R"(orders{shop="a"})");
    EXPECT_EQ(result->samples[0].value, 1.5);
    EXPECT_EQ(format_rfc3339(result->samples[0].time), "2026-07-01T12:00:00.000Z");
}

TEST(PushJson, ReadsAnArrayAndKeepsTheGoodPart) {
    const auto result = decode(
        R"([{"metric":"a","value":1},{"metric":"b"},
            {"metric":"c.d","value":"+Inf","timestamp":1435781451.781}, 7])");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->item_count, 4U);
    EXPECT_THAT(result->indexes, ::testing::ElementsAre(0, 2));
    EXPECT_EQ(result->samples[0].time, kNow);
    EXPECT_EQ(result->samples[1].time, Timestamp(1435781451781));
    EXPECT_TRUE(std::isinf(result->samples[1].value));
    EXPECT_THAT(result->errors, ::testing::ElementsAre(PushItemError{1, "no value"},
                                                       PushItemError{3, "not an object"}));
}

TEST(PushJson, AnEmptyArrayIsNothing) {
    const auto result = decode(" [] ");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->item_count, 0U);
}

TEST(PushJson, ReadsEveryNumber) {
    struct Case {
        std::string_view text;
        double want;
    };
    const Case cases[] = {{"0", 0},
                          {"-0.0", -0.0},
                          {"9007199254740993", 9007199254740992.0},
                          {"18446744073709551615", 18446744073709551615.0},
                          {"123456789012345678901234567890", 123456789012345678901234567890.0},
                          {"1e-400", 0},
                          {"5e-324", 5e-324},
                          {"1.7976931348623157e308", 1.7976931348623157e308}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto result = decode("{\"metric\":\"a\",\"value\":" + std::string(c.text) + "}");
        ASSERT_TRUE(result) << result.error().message;
        ASSERT_EQ(result->samples.size(), 1U);
        EXPECT_EQ(result->samples[0].value, c.want);
    }
    EXPECT_TRUE(std::isnan(decode(R"({"metric":"a","value":"NaN"})")->samples.at(0).value));
}

TEST(PushJson, RefusesItemsOneByOne) {
    struct Case {
        std::string_view body;
        std::string_view want;
    };
    const Case cases[] = {
        {R"({"value":1})", "metric must be a string"},
        {R"({"metric":"","value":1})", "metric must be a string"},
        {R"({"metric":5,"value":1})", "metric must be a string"},
        {R"({"metric":"a","value":null})", "value must be a number"},
        {R"({"metric":"a","value":"1"})", "value must be a number"},
        {R"({"metric":"a","value":"nan"})", "value must be a number"},
        {R"({"metric":"a","value":true})", "value must be a number"},
        {R"({"metric":"a","value":1e400})", "value is out of range"},
        {R"({"metric":"a","value": -1.5E+999 })", "value is out of range"},
        {R"({"metric":"a","value":1,"timestamp":1e400})", "timestamp"},
        {R"({"metric":"a","value":1,"value":2})", "duplicate key \"value\""},
        {R"({"metric":"a","value":1,"tags":{}})", "unknown key \"tags\""},
        {R"({"metric":"a","value":1,"labels":[]})", "labels must be an object"},
        {R"({"metric":"a","value":1,"labels":{"b":1}})", "label \"b\" is not a string"},
        {R"({"metric":"a","value":1,"labels":{"b":"1","b":"2"}})", "duplicate label \"b\""},
        {R"({"metric":"a","value":1,"labels":{"b":"1","\u0062":"1"}})", "duplicate label \"b\""},
        {R"({"metric":"a","value":1,"labels":{"":"1"}})", "name is empty"},
        {R"({"metric":"a","value":1,"labels":{"__name__":"b"}})", "__name__"},
        {R"({"metric":"a","value":1,"timestamp":"yesterday"})", "timestamp"},
        {R"({"metric":"a","value":1,"timestamp":1e300})", "timestamp"},
        {R"({"metric":"a","value":1,"timestamp":null})", "timestamp"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.body);
        EXPECT_THAT(item_error(c.body), HasSubstr(c.want));
    }
}

TEST(PushJson, RefusesTextThatIsNotJsonWithThePlace) {
    struct Case {
        std::string body;
        std::string_view want;
    };
    const Case cases[] = {
        {"", "invalid JSON near byte 0: no JSON value"},
        {"{", "invalid JSON near byte 1: an array or object does not end"},
        {R"({"metric":"a}","value":1)", "invalid JSON near byte 24: an array or object does not"},
        {R"([{"metric":"a","value":1}]])", "invalid JSON near byte 26: more follows the value"},
        {R"({"metric":"a","value":1}x)", "invalid JSON near byte 24: more follows the value"},
        {R"([{"metric":"a","value":1},{"metric":"b","value":1e400x}])",
         "invalid JSON near byte 48"},
        {R"([{"metric":"a","value":1e}])", "invalid JSON near byte 23"},
        {R"([{"metric":"a","value":-}])", "invalid JSON near byte 23"},
        {R"([{"metric":"a","value":1.e400}])", "invalid JSON near byte 23"},
        {R"([{"metric":"a","value":01}])", "invalid JSON near byte 23"},
        {R"([{"metric":"a","value":NaN}])", "invalid JSON near byte 23"},
        {R"({"metric":"\ud800","value":1})", "invalid JSON near byte 10"},
        {R"({"metric":"\udc00","value":1})", "invalid JSON near byte 10"},
        {"{\"metric\":\"a\xff\",\"value\":1}", "invalid JSON near byte 12: invalid UTF-8"},
        {"{\"metric\":\"a\nb\",\"value\":1}", "invalid JSON"},
        {R"([{"metric":"a","value":1}] x)", "more follows"},
        {R"([{"metric":"a","value":1},])", "invalid JSON"},
        {std::string(100'000, '['), "invalid JSON"},
        {std::string(20, '[') + std::string(20, ']'), "nested deeper than 16"},
        {"5", "must be an object or an array"},
        {"\"a\"", "must be an object or an array"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.body.substr(0, 100));
        EXPECT_THAT(item_error(c.body), HasSubstr(c.want));
        EXPECT_FALSE(decode(c.body));
    }
}

TEST(PushJson, KeepsTheItemsBesideANumberOutOfRange) {
    const std::string digits(400, '9');
    const auto result = decode(R"([{"metric":"a","value":1},{"metric":"b","value":1e400},)"
                               R"({"metric":"c","value":)" +
                               digits + R"(},{"metric":"d","value":1e-400}])");
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->samples.size(), 2U);
    EXPECT_EQ(result->samples[1].labels.metric_name(), "d");
    ASSERT_EQ(result->errors.size(), 2U);
    EXPECT_EQ(result->errors[0].index, 1U);
    EXPECT_EQ(result->errors[1].index, 2U);
}

TEST(PushJson, TakesEveryValidName) {
    const auto result = decode(
        "\xef\xbb\xbf{\"metric\":\"\xc3\xbc \\u2603 \\ud83d\\ude00\",\"value\":1,\"labels\":{\"a "
        "b\":\"\\u0000x\"}}");
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->samples.size(), 1U);
    EXPECT_EQ(result->samples[0].labels.metric_name(), "\xc3\xbc \xe2\x98\x83 \xf0\x9f\x98\x80");
    EXPECT_EQ(result->samples[0].labels.get("a b"), std::string("\0x", 2));
}

TEST(PushJson, BoundsTheNumberOfItems) {
    std::string body = "[";
    for (std::size_t i = 0; i < PushLimits::kItemsMax; ++i) {
        body += "0,";
    }
    const auto result = decode(body + "0]");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kResourceExhausted);
}

TEST(PushJson, SurvivesTheJsonTestSuite) {
    const auto folder = testing::conformance_dir("json-test-suite");
    if (!folder) {
        return;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "test_parsing")) {
        const std::string name = entry.path().filename();
        SCOPED_TRACE(name);
        const std::string text = testing::read_file(entry.path());
        const auto document = JsonDocument::parse(text);
        if (name.starts_with("y_")) {
            EXPECT_TRUE(document) << document.error().message;
        } else if (name.starts_with("n_")) {
            EXPECT_FALSE(document);
            EXPECT_FALSE(decode(text));
        }
        static_cast<void>(decode(text));
        static_cast<void>(decode("[{\"metric\":\"a\",\"value\":" + text + "}]"));
        ++count;
    }
    EXPECT_GT(count, 300U);
}

}  // namespace
}  // namespace kpid::wire
