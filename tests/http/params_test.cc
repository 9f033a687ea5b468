#include "http/params.h"

#include "support/conformance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::http {
namespace {

net::HttpParams params_of(std::initializer_list<std::pair<std::string, std::string>> entries) {
    net::HttpParams params;
    for (const auto& [name, value] : entries) {
        params.add(name, value);
    }
    return params;
}

TEST(Params, DurationsAreSecondsOrPrometheusDurations) {
    EXPECT_EQ(parse_duration_param("123.333").value(), Duration(123333));
    EXPECT_EQ(parse_duration_param("5m").value(), std::chrono::minutes(5));
    EXPECT_EQ(parse_duration_param("-1").value(), Duration(-1000));
    for (const char* bad :
         {"", "abc", "2015-06-03T13:21:58.555Z", "148966367200.372", "NaN", "1e400"}) {
        EXPECT_FALSE(parse_duration_param(bad).has_value()) << bad;
    }
}

TEST(Params, TimesHaveDefaultsAndPrometheusWords) {
    EXPECT_EQ(time_param(params_of({}), "time", Timestamp(7)).value(), Timestamp(7));
    EXPECT_EQ(time_param(params_of({{"time", "123.123"}}), "time", {}).value(), Timestamp(123123));
    EXPECT_EQ(time_param(params_of({{"time", "abc"}}), "time", {}).error().message,
              "invalid parameter \"time\": Invalid time value for 'time': cannot parse \"abc\" to "
              "a valid "
              "timestamp");
    EXPECT_EQ(time_param(params_of({{"start", "-292273086-05-16T16:47:06Z"}}), "start", {}).value(),
              Timestamp::min());
    const auto backwards = range_params(params_of({{"start", "10"}, {"end", "1"}}));
    ASSERT_TRUE(backwards.has_value());
    EXPECT_LT(backwards->end, backwards->start);
}

TEST(Params, MatchersWantSomethingThatIsNotEmpty) {
    EXPECT_EQ(match_params(params_of({{"match[]", "up"}, {"match[]", "{a=\"b\"}"}})).value().size(),
              2U);
    EXPECT_FALSE(match_params(params_of({{"match[]", "{}"}})).has_value());
    EXPECT_FALSE(match_params(params_of({{"match[]", "{a=~\".*\"}"}})).has_value());
    EXPECT_FALSE(match_params(params_of({{"match[]", "up{"}})).has_value());
}

TEST(Params, LabelNamesOfPathsMayBeEscaped) {
    EXPECT_EQ(label_name_param("job").value(), "job");
    EXPECT_EQ(label_name_param("U__label_2e_name").value(), "label.name");
    EXPECT_EQ(label_name_param("U__a__b").value(), "a_b");
    EXPECT_EQ(label_name_param("U___fc__2603_").value(), "\u00fc\u2603");
    for (const char* bad :
         {"", "a-b", "1a", "U__", "U__a_2e", "U__a_zz_", "U___d800_", "U___110000_"}) {
        EXPECT_EQ(label_name_param(bad).error().message,
                  "invalid label name: \"" + std::string(bad) + "\"");
    }
}

TEST(Params, LimitIsANumber) {
    EXPECT_EQ(limit_param(params_of({})).value(), 0U);
    EXPECT_EQ(limit_param(params_of({{"limit", "7"}})).value(), 7U);
    EXPECT_EQ(limit_param(params_of({{"limit", "-1"}})).error().message,
              "invalid parameter \"limit\": limit must be non-negative");
    EXPECT_EQ(limit_param(params_of({{"limit", "many"}})).error().message,
              "invalid parameter \"limit\": strconv.Atoi: parsing \"many\": invalid syntax");
    EXPECT_EQ(limit_param(params_of({{"limit", "99999999999999999999"}})).error().message,
              "invalid parameter \"limit\": strconv.Atoi: parsing \"99999999999999999999\": value "
              "out of range");
    EXPECT_FALSE(limit_param(params_of({{"limit", "+-1"}})).has_value());
}

// Prometheus' own tables: every input that it refuses is refused, every plain one is read.
TEST(Params, PrometheusTablesAgree) {
    const auto folder = testing::conformance_dir("prom-http-api");
    if (!folder) {
        return;
    }
    for (const char* file : {"TestParseDuration.json", "TestParseTime.json"}) {
        simdjson::dom::parser parser;
        const std::string text = testing::read_file(*folder / file);
        std::size_t checked = 0;
        for (const simdjson::dom::element entry : parser.parse(text)["cases"].get_array()) {
            std::string_view input;
            if (entry["input"].get(input) != simdjson::SUCCESS) {
                continue;
            }
            bool fails = false;
            if (entry["fail"].get(fails) != simdjson::SUCCESS) {
                fails = false;
            }
            const bool read = std::string_view(file) == "TestParseTime.json"
                                  ? parse_time(input).has_value()
                                  : parse_duration_param(input).has_value();
            EXPECT_NE(read, fails) << file << ": " << input;
            ++checked;
        }
        EXPECT_GE(checked, 7U) << file;
    }
}

}  // namespace
}  // namespace kpid::http
