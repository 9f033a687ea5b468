// Numbers, spans, names and secrets.

#include "config/values.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace kpid::config {
namespace {

TEST(Values, ReadNumbersInBaseUnits) {
    struct Case {
        std::string text;
        double want;
    };
    const std::vector<Case> cases{
        {"0.2", 0.2},     {"20%", 0.2},   {"99.9%", 0.999}, {"-10%", -0.1},      {"5k", 5e3},
        {"2M", 2e6},      {"1G", 1e9},    {"1.5KiB", 1536}, {"32MiB", 33554432}, {"800ms", 0.8},
        {"5m", 300},      {"5m30s", 330}, {"2w", 1209600},  {"6mo", 15552000},   {"1q", 7776000},
        {"1y", 31536000}, {"-30s", -30},  {"1e3", 1000},    {"+4", 4},           {"10 %", 0.1},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.text);
        const auto value = parse_quantity(one.text);
        ASSERT_TRUE(value);
        EXPECT_DOUBLE_EQ(*value, one.want);
    }
}

TEST(Values, RefuseWhatIsNoNumber) {
    for (const char* text : {"", "x", "%", "k", "inf", "NaN", "1e400", "1%%", "5 apples", "1h1h",
                             "0x10", "--1", "1e308k", "mo", "1.5mo"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(parse_quantity(text));
    }
}

TEST(Values, ReadCounts) {
    EXPECT_EQ(*parse_count("500"), 500U);
    EXPECT_EQ(*parse_count("2M"), 2'000'000U);
    EXPECT_EQ(*parse_count("1KiB"), 1024U);
    for (const char* text : {"-1", "1.5", "5m", "20%", "1e300", "x"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(parse_count(text));
    }
    EXPECT_EQ(*parse_bytes("10MB"), 10U * 1024 * 1024);
    EXPECT_EQ(*parse_bytes("10MiB"), 10U * 1024 * 1024);
    EXPECT_EQ(*parse_bytes("1KB"), 1024U);
    EXPECT_FALSE(parse_bytes("B"));
}

TEST(Values, ReadSpans) {
    EXPECT_EQ(*parse_span("1h30m"), std::chrono::minutes(90));
    EXPECT_EQ(*parse_span("1mo"), std::chrono::hours(24 * 30));
    EXPECT_FALSE(parse_span("5"));
    EXPECT_FALSE(parse_span("99999999mo"));
}

TEST(Values, KnowIds) {
    EXPECT_TRUE(is_id("disk_free_2"));
    for (const char* text : {"", "2x", "_x", "Disk", "a-b", "a.b", "é"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(is_id(text));
    }
}

TEST(Values, KnowDatesAndPeriods) {
    for (const char* text :
         {"2026-01-15", "2026-05", "2026-Q3", "2026-H1", "2026-FY", "2026-W31"}) {
        SCOPED_TRACE(text);
        EXPECT_TRUE(is_date_or_period(text));
    }
    for (const char* text :
         {"", "2026", "2026-13", "2026-00", "2026-Q5", "2026-W54", "2026-02-30", "26-01-01"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(is_date_or_period(text));
    }
}

TEST(Values, KnowAddressesAndUrls) {
    for (const char* text : {"127.0.0.1:9731", ":80", "[::1]:0", "localhost:65535"}) {
        SCOPED_TRACE(text);
        EXPECT_TRUE(check_listen_address(text));
    }
    for (const char* text :
         {"", "9731", "localhost", "::1:80", "a:b", "a:65536", "a:-1", "a b:1"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(check_listen_address(text));
    }
    EXPECT_TRUE(check_url("http://127.0.0.1:9090"));
    EXPECT_TRUE(check_url("https://erp.example/orders?x=1"));
    for (const char* text : {"", "erp.example", "ftp://x", "http://", "http:///x", "http://a b"}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(check_url(text));
    }
}

TEST(Values, JudgeSecretsWithoutShowingThem) {
    const std::string secret = "Y2hhbmdlIHRoaXMgc2VjcmV0IGJlZm9yZSB5b3UgZ28gbGl2ZQ==";
    EXPECT_TRUE(check_secret(secret));
    EXPECT_TRUE(check_secret("whsec_" + secret));
    for (const std::string& text : {std::string("c2hvcnQ="), std::string("not base64 at all!"),
                                    std::string(), std::string(200, 'A'), secret + "="}) {
        SCOPED_TRACE(text);
        const auto fits = check_secret(text);
        ASSERT_FALSE(fits);
        EXPECT_TRUE(text.empty() || fits.error().message.find(text) == std::string::npos);
    }
}

TEST(Values, ExpandTheEnvironment) {
    const auto lookup = [](const std::string& name) -> std::optional<std::string> {
        if (name == "A") {
            return "x";
        }
        return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
    };
    struct Case {
        std::string text;
        std::string want;
    };
    const std::vector<Case> cases{
        {"${A}-${A}", "x-x"}, {"${B:-y}", "y"},  {"${EMPTY:-y}", "y"}, {"${EMPTY}", ""},
        {"$$", "$"},          {"$${A}", "${A}"}, {"a$", "a$"},         {"${a}", "${a}"},
        {"${1}", "${1}"},     {"${A", "${A"},    {"$A", "$A"},         {"${B:-}", ""},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.text);
        EXPECT_EQ(*expand_environment(one.text, lookup), one.want);
    }
    EXPECT_FALSE(expand_environment("${B}", lookup));
}

TEST(Values, FindTheNearestWord) {
    const std::vector<std::string> words{"warning", "critical", "target"};
    EXPECT_EQ(nearest("warnign", words), "warning");
    EXPECT_EQ(nearest("targets", words), "target");
    EXPECT_EQ(nearest("zzzzzz", words), "");
    EXPECT_EQ(nearest("", words), "");
}

}  // namespace
}  // namespace kpid::config
