// Prometheus' table of durations.

#include "kpid/base/time.h"
#include "promql/conformance_json.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::promql {
namespace {

// A factor of Go's: `"4"` or `time . Hour`.
std::int64_t factor(std::string_view text) {
    constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"time . Millisecond", 1},
                                                                    {"time . Second", 1000},
                                                                    {"time . Minute", 60'000},
                                                                    {"time . Hour", 3'600'000}};
    for (const auto& [name, milliseconds] : kUnits) {
        if (text == name) {
            return milliseconds;
        }
    }
    return std::stoll(std::string(text.substr(1, text.size() - 2)));
}

// Calls `take` with each part of a text.
template <class Take>
void split(std::string_view text, std::string_view separator, const Take& take) {
    for (std::size_t at = text.find(separator); at != std::string_view::npos;
         at = text.find(separator)) {
        take(text.substr(0, at));
        text.remove_prefix(at + separator.size());
    }
    take(text);
}

// `"4" * "24" * time . Hour + time . Hour`, in milliseconds.
std::int64_t go_value(std::string_view text) {
    std::int64_t sum = 0;
    split(text, " + ", [&](std::string_view product) {
        std::int64_t value = 1;
        split(product, " * ", [&](std::string_view part) { value *= factor(part); });
        sum += value;
    });
    return sum;
}

TEST(DurationConformance, ReadsAndWritesTheSame) {
    for (const ConformanceCase& one : conformance_cases("duration-TestParseDuration.json")) {
        std::string text = json_text(one.value["in"]);
        SCOPED_TRACE(text);
        const auto out = one.value["out"];
        std::int64_t want =
            out.is_int64() ? out.get_int64().value() : go_value(json_text(out["_expr"]));
        if (text.starts_with('-')) {  // A sign is the caller's: parse_duration knows none.
            text.erase(0, 1);
            want = -want;
        }
        const auto duration = parse_duration(text);
        ASSERT_TRUE(duration.has_value());
        EXPECT_EQ(duration->count(), want);
        const std::string written = json_text(one.value["expectedString"]);
        if (!written.starts_with('-')) {
            EXPECT_EQ(format_duration(*duration), written.empty() ? text : written);
        }
    }
}

TEST(DurationConformance, RefusesTheSame) {
    for (const ConformanceCase& one : conformance_cases("duration-TestParseBadDuration.json")) {
        EXPECT_FALSE(parse_duration(one.text()).has_value()) << one.text();
    }
}

}  // namespace
}  // namespace kpid::promql
