// Periods and the past of promql sources, on the test's clock.
#include "ingest/promql_history.h"

#include "ingest/history_plan.h"
#include "ingest/ingest_fixture.h"
#include "net/url.h"

#include <gmock/gmock.h>

namespace kpid::ingest {
namespace {

using kpid::testing::http_answer;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Answer = kpid::testing::FakeTransport::Answer;

Timestamp at(std::string_view text) {
    return *parse_rfc3339(text);
}

net::HttpParams form_of(const net::HttpClientRequest& request) {
    return *net::parse_form(request.body);
}

Answer json(unsigned status, std::string body) {
    return http_answer(status, std::move(body), {{"Content-Type", "application/json"}});
}

// The server's answer to any question is the time it is asked for, in hours.
Answer hours_of(const net::HttpClientRequest& request) {
    const Timestamp time = *parse_time(form_of(request).get_or("time", ""));
    return json(
        200,
        fmt::format(R"({{"status":"success","data":{{"resultType":"scalar","result":[1,"{}"]}}}})",
                    static_cast<double>(time.ms()) / 3'600'000));
}

Answer empty_vector() {
    return json(200, R"({"status":"success","data":{"resultType":"vector","result":[]}})");
}

// A matrix with one series of every step, and one that ends before `end`.
Answer counting(const net::HttpClientRequest& request, std::optional<Timestamp> end) {
    const net::HttpParams form = form_of(request);
    const Timestamp last = *parse_time(form.get_or("end", ""));
    const Duration step(parse_time(form.get_or("step", ""))->ms());
    std::string all;
    std::string some;
    for (Timestamp t = *parse_time(form.get_or("start", "")); t <= last; t += step) {
        const std::string point =
            fmt::format(R"([{},"{}"])", t.seconds(), t.ms() / step.count() % 1000);
        all += (all.empty() ? "" : ",") + point;
        if (end && t < *end) {
            some += (some.empty() ? "" : ",") + point;
        }
    }
    std::string series = R"({"metric":{"env":"a"},"values":[)" + all + "]}";
    if (!some.empty()) {
        series += R"(,{"metric":{"env":"b"},"values":[)" + some + "]}";
    }
    return json(200,
                R"({"status":"success","data":{"resultType":"matrix","result":[)" + series + "]}}");
}

class PromqlHistoryTest : public IngestFixture {
protected:
    static constexpr const char* kQueryUrl = "http://prom:9090/api/v1/query";
    static constexpr const char* kRangeUrl = "http://prom:9090/api/v1/query_range";

    PromqlHistoryTest() { sim_.clock().set_wall(at("2026-05-13T10:30:00Z")); }

    // One query `visits` for each hour, as far back as three.
    static config::PromqlSource hourly() {
        return {.url = "http://prom:9090",
                .queries = {{.metric = "visits", .expr = "v", .per = config::Period::kHour}},
                .backfill_periods = hours(3)};
    }
    static config::PromqlSource gauge() {
        return {.url = "http://prom:9090",
                .queries = {{.metric = "level", .expr = "l"}},
                .backfill_samples = minutes(60)};
    }
    void begin(const config::PromqlSource& promql, Duration interval = minutes(10)) {
        config::SourceConfig source = source_config(promql);
        source.interval = interval;
        config_.sources = {source};
        ASSERT_TRUE(apply().has_value());
    }
    void end() {
        config_.sources.clear();
        ASSERT_TRUE(apply().has_value());
    }
    // "10" for each sample of the metric: the hour of its time, and its value.
    std::vector<std::string> samples(std::string_view metric) const {
        std::vector<std::string> all;
        for (const model::SeriesColumns& series : series_of(metric)) {
            for (std::size_t i = 0; i < series.times.size(); ++i) {
                all.push_back(fmt::format("{}={}", format_rfc3339(series.times[i]).substr(11, 5),
                                          model::is_stale_marker(series.values[i])
                                              ? "stale"
                                              : fmt::format("{}", series.values[i])));
            }
        }
        return all;
    }
    // The instants of requests of the past, in order.
    std::vector<std::string> asked() const {
        std::vector<std::string> all;
        for (const net::HttpClientRequest& request : transport_.requests(kQueryUrl)) {
            const net::HttpParams form = form_of(request);
            if (form.has("nocache")) {
                all.push_back(format_rfc3339(*parse_time(form.get_or("time", ""))).substr(11, 5));
            }
        }
        return all;
    }
    SourceNotes notes() const { return ingest_->sources().at(0).notes; }
    double up() { return std::stod(newest("up").begin()->second); }
};

TEST_F(PromqlHistoryTest, AsksForEachClosedPeriodOnceAtItsEndAndStampsItWithItsStart) {
    const double hour = static_cast<double>(at("2026-05-13T10:00:00Z").ms()) / 3'600'000;
    transport_.answer_by(kQueryUrl, hours_of);
    begin(hourly());
    EXPECT_THAT(asked(), ElementsAre("10:00", "09:00"));
    EXPECT_THAT(samples("visits"),
                ElementsAre(fmt::format("08:00={}", hour - 1), fmt::format("09:00={}", hour)));
    EXPECT_EQ(series_of("visits").at(0).labels.to_string(), R"(visits{job="src"})");
    EXPECT_EQ(appender_.appended.at("visits").at(0).kind, model::MetricKind::kTotal);
    sim_.advance(minutes(30) + PeriodPlan::kSettle - seconds(1));
    EXPECT_EQ(asked().size(), 2U);
    sim_.advance(seconds(1));
    EXPECT_THAT(asked(), ElementsAre("10:00", "09:00", "11:00"));
    sim_.advance(hours(2));
    EXPECT_THAT(asked(), ElementsAre("10:00", "09:00", "11:00", "12:00", "13:00"));
    EXPECT_EQ(samples("visits").size(), 5U);
    EXPECT_EQ(up(), 1);
    EXPECT_TRUE(notes().has_history);
    EXPECT_EQ(notes().periods_pending, 0U);
}

TEST_F(PromqlHistoryTest, WhatWasAnsweredIsNotAskedAgainAfterARestartAndWhatWasMissedIs) {
    // An answer without a series is one.
    transport_.answer_always(kQueryUrl, empty_vector());
    begin(hourly());
    EXPECT_EQ(asked().size(), 2U);
    end();
    sim_.advance(hours(3));
    transport_.forget_requests();
    transport_.answer_by(kQueryUrl, hours_of);
    begin(hourly());
    EXPECT_THAT(asked(), ElementsAre("13:00", "12:00", "11:00"));
    EXPECT_EQ(samples("visits").size(), 3U);
    // Another question has another past.
    end();
    transport_.forget_requests();
    config::PromqlSource other = hourly();
    other.queries[0].expr = "w";
    begin(other);
    EXPECT_THAT(asked(), ElementsAre("13:00", "12:00"));
}

TEST_F(PromqlHistoryTest, ADeadServerIsAskedLaterAndLaterAndTheSourceIsDownMeanwhile) {
    transport_.answer_always(kQueryUrl, unavailable("connection refused"));
    begin(hourly());
    sim_.advance(minutes(10));
    EXPECT_EQ(up(), 0);
    EXPECT_EQ(notes().periods_pending, 2U);
    EXPECT_THAT(notes().history_error, HasSubstr("query of visits: connection refused"));
    EXPECT_EQ(counted("kpid_source_periods_pending", {{"source", "src"}}), 2);
    const std::size_t tries = asked().size();
    EXPECT_GE(tries, 5U);
    EXPECT_LE(tries, 20U);
    transport_.answer_by(kQueryUrl, hours_of);
    transport_.answer_always(kQueryUrl, http_answer(200));
    sim_.advance(PromqlHistory::kWaitMax + seconds(1));
    EXPECT_EQ(samples("visits").size(), 2U);
    EXPECT_EQ(notes().history_error, "");
    sim_.advance(minutes(10));
    EXPECT_EQ(up(), 1);
    EXPECT_EQ(counted("kpid_source_periods_given_up_total", {{"source", "src"}}), 0);
}

TEST_F(PromqlHistoryTest, APeriodThatIsRefusedHoldsUpNoOtherAndIsGivenUpAtLast) {
    transport_.answer_by(kQueryUrl, [](const net::HttpClientRequest& request) {
        const net::HttpParams form = form_of(request);
        const bool is_bad = parse_time(form.get_or("time", "")) == at("2026-05-13T09:00:00Z");
        return is_bad
                   ? json(
                         422,
                         R"({"status":"error","errorType":"execution","error":"too many samples"})")
                   : hours_of(request);
    });
    config::PromqlSource promql = hourly();
    promql.queries.push_back({.metric = "works", .expr = "w", .per = config::Period::kHour});
    begin(promql);
    EXPECT_EQ(samples("visits").size(), 1U);
    EXPECT_EQ(samples("works").size(), 1U);
    EXPECT_THAT(notes().history_error, HasSubstr("too many samples"));
    sim_.advance(hours(9));
    EXPECT_EQ(samples("visits").size(), 10U) << "of 08:00 to 18:00 all but one";
    EXPECT_EQ(notes().periods_given_up, 2U);
    EXPECT_EQ(counted("kpid_source_periods_given_up_total", {{"source", "src"}}), 2);
    EXPECT_EQ(notes().periods_pending, 0U);
}

TEST_F(PromqlHistoryTest, APartialAnswerIsStoredAskedAgainAndReplaced) {
    transport_.answer_by(kQueryUrl, [](const net::HttpClientRequest&) {
        return json(200, R"({"status":"success","isPartial":true,"warnings":["store b is away"],
            "data":{"resultType":"scalar","result":[1,"3"]}})");
    });
    config::PromqlSource promql = hourly();
    promql.backfill_periods = hours(2);
    begin(promql);
    EXPECT_THAT(samples("visits"), ElementsAre("09:00=3"));
    EXPECT_EQ(notes().periods_pending, 1U);
    EXPECT_THAT(
        notes().notes,
        ElementsAre(SourceNotes::Note{"visits", "warning", "store b is away"},
                    SourceNotes::Note{"visits", "partial", "a part of the server did not answer"}));
    EXPECT_GE(counted("kpid_source_query_notes_total", {{"source", "src"}, {"kind", "partial"}}),
              1);
    EXPECT_EQ(counted("kpid_source_query_notes_total", {{"source", "src"}, {"kind", "info"}}), 0);
    ASSERT_EQ(sink_->lines.size(), 2U) << "each is told once";
    transport_.answer_by(kQueryUrl, [](const net::HttpClientRequest&) {
        return json(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"5"]}})");
    });
    sim_.advance(PromqlHistory::kWaitMax);
    EXPECT_THAT(samples("visits"), ElementsAre("09:00=5"));
    EXPECT_EQ(notes().periods_pending, 0U);
    EXPECT_THAT(notes().notes, IsEmpty());
}

TEST_F(PromqlHistoryTest, ManyRequestsAreUnderWayButNoMoreThanTheLimit) {
    transport_.hold(kQueryUrl);
    config::PromqlSource promql = hourly();
    promql.backfill_periods = hours(100);
    begin(promql);
    EXPECT_EQ(transport_.waiting(kQueryUrl), PromqlHistory::kInFlightMax);
    EXPECT_TRUE(transport_.answer_held(kQueryUrl, empty_vector()));
    sim_.run_until_idle();
    EXPECT_EQ(transport_.waiting(kQueryUrl), PromqlHistory::kInFlightMax);
}

TEST_F(PromqlHistoryTest, FillsThePastBeforeTheFirstSampleAndMarksWhatEnded) {
    transport_.answer_always(kQueryUrl, empty_vector());
    transport_.answer_by(kRangeUrl, [](const net::HttpClientRequest& request) {
        return counting(request, at("2026-05-13T10:10:00Z"));
    });
    begin(gauge());
    ASSERT_EQ(transport_.requests(kRangeUrl).size(), 1U);
    const net::HttpParams form = form_of(transport_.requests(kRangeUrl).at(0));
    EXPECT_EQ(form.get("start"), "1778664600.000");
    EXPECT_EQ(form.get("end"), "1778667600.000");
    EXPECT_EQ(form.get("step"), "600.000");
    EXPECT_EQ(form.get("nocache"), "1");
    const std::vector<model::SeriesColumns> series = series_of("level");
    ASSERT_EQ(series.size(), 2U);
    EXPECT_EQ(series[0].labels.to_string(), R"(level{env="a", job="src"})");
    EXPECT_EQ(series[0].times.size(), 6U);
    EXPECT_EQ(series[1].times.size(), 5U);
    EXPECT_EQ(series[1].times.back(), at("2026-05-13T10:10:00Z"));
    EXPECT_TRUE(model::is_stale_marker(series[1].values.back()));
    EXPECT_FALSE(model::is_stale_marker(series[0].values.back()));
    // Done: neither asked again now nor after a start.
    sim_.advance(hours(1));
    end();
    begin(gauge());
    EXPECT_EQ(transport_.requests(kRangeUrl).size(), 1U);
    EXPECT_EQ(notes().backfills_pending, 0U);
}

TEST_F(PromqlHistoryTest, AsksForFewerPointsWhereTheServerFindsThemTooMany) {
    transport_.answer_always(kQueryUrl, empty_vector());
    std::vector<std::int64_t> points;
    transport_.answer_by(kRangeUrl, [&points](const net::HttpClientRequest& request) {
        const net::HttpParams form = form_of(request);
        const Duration span =
            *parse_time(form.get_or("end", "")) - *parse_time(form.get_or("start", ""));
        points.push_back(span / minutes(1) + 1);
        return points.back() > 2000
                   ? json(
                         422,
                         R"({"status":"error","errorType":"execution","error":"too many samples"})")
                   : counting(request, std::nullopt);
    });
    config::PromqlSource promql = gauge();
    promql.backfill_samples = minutes(6000);
    begin(promql, minutes(1));
    ASSERT_GE(points.size(), 5U);
    EXPECT_EQ(points[0], 6000);
    EXPECT_EQ(points[1], 5000);
    EXPECT_EQ(points[2], 2500);
    EXPECT_EQ(points[3], 1250);
    EXPECT_EQ(points[4], 1251) << "with the neighbour's first";
    ASSERT_EQ(series_of("level").size(), 1U);
    EXPECT_EQ(series_of("level")[0].times.size(), 6000U) << "no gap, nothing twice";
    EXPECT_EQ(notes().history_error, "");
}

TEST_F(PromqlHistoryTest, AServerWithoutRangeQueriesIsNotDown) {
    transport_.answer_always(kQueryUrl, empty_vector());
    transport_.answer_always(kRangeUrl, http_answer(404, "not found"));
    begin(gauge());
    sim_.advance(minutes(20));
    EXPECT_EQ(up(), 1);
    EXPECT_EQ(notes().backfills_pending, 1U);
    EXPECT_THAT(notes().history_error, HasSubstr("404"));
}

TEST_F(PromqlHistoryTest, SamplesThatTheStoreHasAreNotFilledOver) {
    const model::Labels labels{{"__name__", "level"}, {"env", "a"}, {"job", "src"}};
    storage_.put(labels, at("2026-05-13T10:02:00Z"), 77);
    transport_.answer_always(kQueryUrl, empty_vector());
    transport_.answer_by(kRangeUrl, [](const net::HttpClientRequest& request) {
        return counting(request, std::nullopt);
    });
    begin(gauge());
    EXPECT_THAT(samples("level"),
                ElementsAre("09:30=441", "09:40=442", "09:50=443", "10:00=444", "10:02=77"));
}

TEST_F(PromqlHistoryTest, AStoreThatCannotBeWrittenLosesNothing) {
    transport_.answer_by(kQueryUrl, hours_of);
    appender_.failure = unavailable("the disk is full");
    begin(hourly());
    EXPECT_THAT(samples("visits"), IsEmpty());
    appender_.failure.reset();
    sim_.advance(PromqlHistory::kWaitMin + seconds(1));
    EXPECT_EQ(samples("visits").size(), 2U);
}

}  // namespace
}  // namespace kpid::ingest
