// StatsD and DogStatsD datagrams.

#include "kpid/wire/statsd.h"

#include "wire/conformance_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace kpid::wire {
namespace {

// "c foo{a="b"} 1 @0.5 T5" for each event, then "line 2: reason" for each error, one a line.
std::string shown(const StatsdPacket& packet) {
    static constexpr std::string_view kKinds[] = {"c", "g", "g+", "ms", "h", "d", "s"};
    std::string text;
    for (const StatsdEvent& event : packet.events) {
        text += fmt::format("{} {}", kKinds[static_cast<std::size_t>(event.kind)], event.name);
        text += event.tags.empty() ? "" : event.tags.to_string();
        text += event.kind == StatsdKind::kSet ? " " + event.set_member
                                               : fmt::format(" {:g}", event.value);
        text += event.sample_rate == 1 ? "" : fmt::format(" @{:g}", event.sample_rate);
        text += event.time ? fmt::format(" T{}", event.time->ms()) : "";
        text += "\n";
    }
    for (const StatsdLineError& error : packet.errors) {
        text += fmt::format("line {}: {}\n", error.line, to_string(error.reason));
    }
    return text;
}

std::string etsy(std::string_view text) {
    return shown(parse_statsd(text, StatsdDialect::kEtsy));
}
std::string dogstatsd(std::string_view text) {
    return shown(parse_statsd(text, StatsdDialect::kDogstatsd));
}

TEST(Statsd, ReadsEveryType) {
    EXPECT_EQ(etsy("a:1|c\nb:2.5|g\nc:320|ms\nd:4|h\ne:5|d\nf:u:1|s\n"),
              "c a 1\ng b 2.5\nms c 0.32\nh d 4\nd e 5\ns f u:1\n");
}

TEST(Statsd, SignsOfGaugesDependOnTheDialect) {
    EXPECT_EQ(etsy("g:-10|g\ng:+4|g\ng:4|g"), "g+ g -10\ng+ g 4\ng g 4\n");
    EXPECT_EQ(dogstatsd("g:-10|g\ng:+4|g"), "g g -10\ng g 4\n");
}

TEST(Statsd, ReadsSectionsInAnyOrder) {
    const std::string want = "c a{t=\"v\"} 1 @0.5 T1657100430000\n";
    EXPECT_EQ(etsy("a:1|c|@0.5|#t:v|T1657100430"), want);
    EXPECT_EQ(etsy("a:1|c|T1657100430|c:abc|e:it-1|card:low|#t:v|@0.5"), want);
}

TEST(Statsd, ReadsTagsOfEveryStyle) {
    struct Case {
        std::string_view line;
        std::string_view want;
    };
    const Case cases[] = {
        {"a:1|c|#x:1,y:2:3", "c a{x=\"1\", y=\"2:3\"} 1\n"},
        {"a,x=1,y=2:1|c", "c a{x=\"1\", y=\"2\"} 1\n"},
        {"a#x=1:1|c", "c a{x=\"1\"} 1\n"},
        {"a.b[x=1,y=2]:1|c", "c a.b{x=\"1\", y=\"2\"} 1\n"},
        {"a[x=1].b:1|c", "c a.b{x=\"1\"} 1\n"},
        {"a[x=1:1|c", "c a[x=1 1\n"},
        {"a:1|c|#bare,,x:1,", "c a{x=\"1\"} 1\n"},
        {"a:1|c|#", "c a 1\n"},
        {"a:1|c|#9x.y:1,__name__:z", "c a{_9x_y=\"1\"} 1\n"},
        {"a,x=1:1|c|#y:2", "line 1: bad_tags\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.line);
        EXPECT_EQ(etsy(c.line), c.want);
    }
}

TEST(Statsd, UnpacksValues) {
    EXPECT_EQ(etsy("a:1:2:3|h|@0.5"), "h a 1 @0.5\nh a 2 @0.5\nh a 3 @0.5\n");
    EXPECT_EQ(etsy("a:1:x|h"), "line 1: bad_value\n");
    EXPECT_EQ(etsy("a:1:|h"), "line 1: bad_value\n");
}

TEST(Statsd, RefusesALineAndKeepsTheOthers) {
    struct Case {
        std::string_view line;
        std::string_view reason;
    };
    const Case cases[] = {
        {"abc", "malformed"},         {":1|c", "malformed"},     {"a:1", "malformed"},
        {"a:1|", "bad_type"},         {"a:1|x", "bad_type"},     {"a:user:1|x|s", "bad_type"},
        {"a:|c", "bad_value"},        {"a:x|c", "bad_value"},    {"a:NaN|g", "bad_value"},
        {"a:1e400|c", "bad_value"},   {"a:0x1|c", "bad_value"},  {"a:-1|ms", "bad_value"},
        {"a:|s", "bad_value"},        {"a:1|c|@0", "bad_rate"},  {"a:1|c|@x", "bad_rate"},
        {"a:1|c|@2", "bad_rate"},     {"a:1|c|@-1", "bad_rate"}, {"a:1|c|#x:\xff", "malformed"},
        {"_e{a,1}:x|y", "malformed"}, {"_sc|x", "malformed"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.line);
        EXPECT_EQ(etsy("x:1|c\n" + std::string(c.line) + "\ny:2|c\n"),
                  fmt::format("c x 1\nc y 2\nline 2: {}\n", c.reason));
    }
}

TEST(Statsd, RefusesABadTimeOnlyInDogstatsd) {
    EXPECT_EQ(dogstatsd("a:1|g|T"), "line 1: malformed\n");
    EXPECT_EQ(dogstatsd("a:1|g|T-5"), "line 1: malformed\n");
    EXPECT_EQ(etsy("a:1|g|T-5"), "g a 1\n");
}

TEST(Statsd, IgnoresEventsAndServiceChecks) {
    const StatsdPacket packet = parse_statsd(
        "_e{5,4}:title|text|t:error\n_sc|app.svc|2|m:x\na:1|c\r\n", StatsdDialect::kEtsy);
    EXPECT_EQ(packet.ignored, 2U);
    EXPECT_EQ(shown(packet), "c a 1\n");
}

TEST(Statsd, BoundsLinesTagsAndValues) {
    EXPECT_EQ(etsy(std::string(StatsdLimits::kLineBytesMax, 'a') + ":1|c"), "line 1: limit\n");
    std::string tags = "a:1|c|#";
    for (std::size_t i = 0; i <= StatsdLimits::kTagsMax; ++i) {
        tags += fmt::format("t{}:1,", i);
    }
    EXPECT_EQ(etsy(tags), "line 1: limit\n");
    std::string packed = "a:1";
    for (std::size_t i = 0; i < StatsdLimits::kPackedValuesMax; ++i) {
        packed += ":1";
    }
    EXPECT_EQ(parse_statsd(packed + "|h", StatsdDialect::kEtsy).errors.size(), 1U);
    EXPECT_EQ(parse_statsd(std::string(StatsdLimits::kLinesMax + 5, '\n'), StatsdDialect::kEtsy)
                  .errors.size(),
              1U);
}

TEST(Statsd, MakesMetricNames) {
    EXPECT_EQ(sanitise_statsd_name("app.web-1/hits"), "app_web_1_hits");
    EXPECT_EQ(sanitise_statsd_name("9a:b"), "_9a:b");
    EXPECT_EQ(sanitise_statsd_name("\xc3\xbc"), "_");
}

// An event of a table of statsd_exporter, in the form of shown(); "" when it is not one.
std::string shown_event(JsonValue event) {
    struct Form {
        std::string_view prefix;
        std::string_view kind;
    };
    for (const Form form : {Form{"C", "c"}, Form{"G", "g"}, Form{"O", "o"}}) {
        const auto member = [&](std::string_view name) {
            return event.member(std::string(form.prefix) + std::string(name));
        };
        if (!member("MetricName")) {
            continue;
        }
        std::vector<model::Label> labels;
        member("Labels")->for_each([&](std::string_view name, JsonValue value) {
            if (name != "_type" && name != "container_id") {
                labels.push_back({std::string(name), std::string(value.string())});
            }
        });
        const model::Labels tags = model::Labels::from(std::move(labels));
        const auto relative = member("Relative");
        const bool delta = relative && relative->kind() == JsonValue::Kind::kTrue;
        return fmt::format("{}{} {}{} {:g}\n", form.kind, delta ? "+" : "",
                           member("MetricName")->string(), tags.empty() ? "" : tags.to_string(),
                           member("Value")->number());
    }
    return "";
}

// Our events as statsd_exporter tells them: rates applied, timers and histograms as observations.
std::string as_exporter(const StatsdPacket& packet) {
    std::string text;
    for (const StatsdEvent& event : packet.events) {
        const std::string tags = event.tags.empty() ? "" : event.tags.to_string();
        const bool counter = event.kind == StatsdKind::kCounter;
        const bool gauge =
            event.kind == StatsdKind::kGauge || event.kind == StatsdKind::kGaugeDelta;
        const std::string_view kind = counter                                 ? "c"
                                      : event.kind == StatsdKind::kGaugeDelta ? "g+"
                                      : gauge                                 ? "g"
                                                                              : "o";
        const double value = counter ? event.value / event.sample_rate : event.value;
        const int times =
            counter || gauge ? 1 : static_cast<int>(std::lround(1 / event.sample_rate));
        for (int i = 0; i < times; ++i) {
            text += fmt::format("{} {}{} {:g}\n", kind, event.name, tags, value);
        }
    }
    return text;
}

TEST(Statsd, AgreesWithStatsdExporter) {
    const auto folder = testing::conformance_dir("statsd-exporter");
    if (!folder) {
        return;
    }
    const std::set<std::string> exceptions = {
        // Packed values are read for all types, as DogStatsD has them.
        "foo_counter:0.5:120:3000:10:20000:0.01|c|#tag1:bar,tag2:baz",
        // Expected to be refused only while a switch of the exporter is off.
        "foo.test:0.5:120:3000:10:20000:0.01|ms",
        // An unknown or empty section is passed over.
        "foo:100|c|#tag1:value|c",
        "foo:100|c|#tag1:value|c:",
    };
    for (const char* name : {"TestLineToEvents.json", "TestHandlePacket.json"}) {
        SCOPED_TRACE(name);
        const std::size_t count = ConformanceTable(*folder / name).for_each_case([&](JsonValue c) {
            const std::string in = text_of(c.member("in"));
            if (exceptions.contains(in)) {
                return;
            }
            std::string want;
            if (const auto out = c.member("out"); out && out->kind() == JsonValue::Kind::kArray) {
                out->for_each(
                    [&](std::string_view, JsonValue event) { want += shown_event(event); });
            }
            EXPECT_EQ(as_exporter(parse_statsd(in, StatsdDialect::kEtsy)), want)
                << in << " " << text_of(c.member("name"));
        });
        EXPECT_GT(count, 15U);
    }
}

TEST(Statsd, AgreesWithDatadog) {
    const auto folder = testing::conformance_dir("dogstatsd");
    if (!folder) {
        return;
    }
    for (const char* name : {"metrics.json", "events.json", "service-checks.json"}) {
        SCOPED_TRACE(name);
        ConformanceTable(*folder / name).for_each_case([&](JsonValue c) {
            const std::string line = text_of(c.member("line"));
            const StatsdPacket packet = parse_statsd(line, StatsdDialect::kDogstatsd);
            const bool good = c.member("ok")->kind() == JsonValue::Kind::kTrue;
            EXPECT_EQ(packet.errors.empty(), good) << line;
            if (!good) {
                return;
            }
            EXPECT_EQ(packet.ignored, name == std::string_view("metrics.json") ? 0U : 1U) << line;
            const auto values = c.member("values");
            if (!values) {
                return;
            }
            ASSERT_EQ(packet.events.size(), values->size()) << line;
            std::size_t index = 0;
            values->for_each([&](std::string_view, JsonValue value) {
                const StatsdEvent& event = packet.events[index++];
                EXPECT_EQ(event.name, text_of(c.member("name")));
                EXPECT_EQ(event.value, value.number());
                if (const auto rate = c.member("rate")) {
                    EXPECT_EQ(event.sample_rate, rate->number());
                }
                if (const auto time = c.member("ts")) {
                    EXPECT_EQ(event.time, *timestamp_from_seconds(time->number()));
                }
            });
        });
    }
}

TEST(Statsd, ReadsWhatClientsSent) {
    const auto folder = testing::conformance_dir("captured-clients");
    if (!folder) {
        return;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "clients")) {
        const std::string name = entry.path().filename();
        if (!name.ends_with("-udp.body")) {
            continue;
        }
        SCOPED_TRACE(name);
        const StatsdPacket packet =
            parse_statsd(testing::read_file(entry.path()), StatsdDialect::kDogstatsd);
        // One client put a bar into a set's value: no reader can tell it from a type.
        EXPECT_EQ(packet.errors.size(), name.starts_with("008-") ? 1U : 0U);
        EXPECT_GT(packet.events.size() + packet.ignored + packet.errors.size(), 0U);
        ++count;
    }
    EXPECT_GT(count, 15U);
}

}  // namespace
}  // namespace kpid::wire
