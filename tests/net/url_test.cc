// Percent-encoding, forms, request targets.

#include "net/url.h"

#include <gtest/gtest.h>

#include <vector>

namespace kpid::net {
namespace {

TEST(Url, EncodesEverythingButUnreservedCharacters) {
    EXPECT_EQ(url_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(url_encode("a b/c?d=e&f+%"), "a%20b%2Fc%3Fd%3De%26f%2B%25");
    EXPECT_EQ(url_encode("zürich"), "z%C3%BCrich");
    EXPECT_EQ(url_encode(std::string_view("\0\xff", 2)), "%00%FF");
}

TEST(Url, DecodesWhatItEncoded) {
    std::string all;
    for (int c = 0; c < 256; ++c) {
        all += static_cast<char>(c);
    }
    EXPECT_EQ(url_decode(url_encode(all)).value(), all);
}

TEST(Url, RefusesBadEscapesAndNamesThem) {
    struct Case {
        std::string_view input;
        std::string_view escape;
    };
    for (const Case& c : std::vector<Case>{{"%", "%"},
                                           {"a%2", "%2"},
                                           {"%zz", "%zz"},
                                           {"%2g", "%2g"},
                                           {"%%20", "%%2"},
                                           {"%-1", "%-1"}}) {
        SCOPED_TRACE(c.input);
        const Result<std::string> decoded = url_decode(c.input);
        ASSERT_FALSE(decoded.has_value());
        EXPECT_EQ(decoded.error().code, Code::kInvalidArgument);
        EXPECT_EQ(decoded.error().message, "invalid URL escape \"" + std::string(c.escape) + "\"");
    }
}

TEST(Url, ReadsFormsInOrderWithRepeatedNames) {
    const HttpParams params =
        parse_form(
            "query=up%7Bjob%3D%22a+b%22%7D&match[]=a&match%5B%5D=%C3%A4&&flag&empty=&=x&a=b=c")
            .value();
    EXPECT_EQ(params.size(), 7U);
    EXPECT_EQ(params.get("query"), "up{job=\"a b\"}");
    EXPECT_EQ(params.get_all("match[]"), (std::vector<std::string_view>{"a", "ä"}));
    EXPECT_EQ(params.get("flag"), "");
    EXPECT_EQ(params.get("empty"), "");
    EXPECT_EQ(params.get(""), "x");
    EXPECT_EQ(params.get("a"), "b=c");
    EXPECT_EQ(params.get("absent"), std::nullopt);
    EXPECT_EQ(params.get_or("absent", "fallback"), "fallback");
    EXPECT_TRUE(params.has("flag"));
}

TEST(Url, WritesFormsThatReadBack) {
    HttpParams params;
    params.add("match[]", "{job=\"ä & ö\"}");
    params.add("match[]", "a+b=c");
    params.add("", "");
    EXPECT_EQ(parse_form(encode_form(params)).value(), params);
}

TEST(Url, BoundsTheNumberOfParameters) {
    std::string text;
    for (std::size_t i = 0; i <= kHttpParamsMax; ++i) {
        text += "a&";
    }
    EXPECT_EQ(parse_form(text).error().code, Code::kResourceExhausted);
}

TEST(Url, SplitsTargets) {
    struct Case {
        std::string_view target;
        std::string_view path_raw;
        std::string_view path;
        std::size_t param_count;
    };
    for (const Case& c : std::vector<Case>{
             {"/", "/", "/", 0},
             {"/api/v1/query?query=1&time=2", "/api/v1/query", "/api/v1/query", 2},
             {"/metrics/job/a%2Fb/x/%C3%A4+", "/metrics/job/a%2Fb/x/%C3%A4+",
              "/metrics/job/a/b/x/ä+", 0},
             {"/a?", "/a", "/a", 0},
             {"/a?b?c#d", "/a", "/a", 1},
             {"*", "*", "*", 0},
             {"http://host:1/x?y", "/x", "/x", 1},
             {"http://host", "/", "/", 0},
             {"https://host?y=1", "/", "/", 1},
         }) {
        SCOPED_TRACE(c.target);
        const Result<RequestTarget> parsed = parse_target(c.target);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_EQ(parsed->path_raw, c.path_raw);
        EXPECT_EQ(parsed->path, c.path);
        EXPECT_EQ(parsed->params.size(), c.param_count);
    }
}

TEST(Url, RefusesTargetsThatAreNone) {
    for (const std::string_view target : {"", "a/b", "?a=b", "host:80", "/a%2", "/a?b=%zz"}) {
        SCOPED_TRACE(target);
        EXPECT_EQ(parse_target(target).error().code, Code::kInvalidArgument);
    }
}

}  // namespace
}  // namespace kpid::net
