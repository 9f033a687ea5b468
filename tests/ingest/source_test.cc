// Sources that are not scrape targets.

#include "ingest/collectors.h"
#include "ingest/demo_shape.h"
#include "ingest/ingest_fixture.h"

#include <gmock/gmock.h>

namespace kpid::ingest {
namespace {

using kpid::testing::http_answer;
using ::testing::HasSubstr;

class Source : public IngestFixture {
protected:
    static constexpr const char* kJsonUrl = "http://shop/orders";
    static constexpr const char* kQueryUrl = "http://prom:9090/api/v1/query";

    void poll_source(config::SourceConfig source) {
        config_.sources = {std::move(source)};
        ASSERT_TRUE(apply().has_value());
        poll_once();
    }
    static config::HttpJsonSource json_source() {
        config::HttpJsonSource json;
        json.url = kJsonUrl;
        json.select.items = "/rows";
        json.select.metrics = {{.metric = "orders_eur",
                                .value = "/net",
                                .scale = 0.01,
                                .labels = {{"shop", "/shop"}}}};
        return json;
    }
    static config::PromqlSource promql_source() {
        return {.url = "http://prom:9090",
                .queries = {{.metric = "jobs", .expr = "count by (job) (up)"},
                            {.metric = "now", .expr = "time()"}}};
    }
    static kpid::testing::FakeTransport::Answer json(unsigned status, std::string body) {
        return http_answer(status, std::move(body), {{"Content-Type", "application/json"}});
    }
    double up() {
        const Values values = newest("up");
        EXPECT_EQ(values.size(), 1U);
        return std::stod(values.begin()->second);
    }
};

TEST_F(Source, DemoBringsItsSeriesUnderItsId) {
    config::SourceConfig source = source_config(config::DemoSource());
    source.labels = {{"site", "berlin"}};
    poll_source(source);
    const std::string labels = R"({job="src", site="berlin"})";
    EXPECT_EQ(newest("demo_checkout_error_ratio"),
              (Values{{"demo_checkout_error_ratio" + labels, "0.005"}}));
    EXPECT_EQ(newest("demo_orders_total"), (Values{{"demo_orders_total" + labels, "0"}}));
    EXPECT_EQ(newest("demo_response_seconds").size(), 1U);
    EXPECT_EQ(newest("up"), (Values{{"up" + labels, "1"}}));
    EXPECT_EQ(newest("scrape_duration_seconds"),
              (Values{{"scrape_duration_seconds" + labels, "0"}}));
    EXPECT_EQ(counted("kpid_ingest_samples_total", {{"protocol", "demo"}}), 5);
}

TEST_F(Source, HttpJsonPicksSamplesOutOfOneAnswer) {
    transport_.answer_always(
        kJsonUrl, json(200, R"({"rows":[{"net":1250,"shop":"de"},{"net":300,"shop":"at"}]})"));
    poll_source(source_config(json_source()));
    EXPECT_EQ(newest("orders_eur"), (Values{{R"(orders_eur{job="src", shop="at"})", "3"},
                                            {R"(orders_eur{job="src", shop="de"})", "12.5"}}));
    EXPECT_EQ(up(), 1);

    transport_.answer_always(kJsonUrl, json(200, R"({"rows":[{"net":500,"shop":"de"}]})"));
    poll_once();
    EXPECT_EQ(newest("orders_eur"), (Values{{R"(orders_eur{job="src", shop="at"})", "stale"},
                                            {R"(orders_eur{job="src", shop="de"})", "5"}}));
}

TEST_F(Source, HttpJsonKeepsTheGoodItemsAndCountsTheBad) {
    transport_.answer_always(
        kJsonUrl, json(200, R"({"rows":[{"net":100,"shop":"de"},{"net":"many","shop":"at"}]})"));
    poll_source(source_config(json_source()));
    EXPECT_EQ(newest("orders_eur").size(), 1U);
    EXPECT_EQ(up(), 1);
    EXPECT_EQ(
        counted("kpid_ingest_rejected_total", {{"protocol", "http_json"}, {"reason", "malformed"}}),
        1);
    ASSERT_EQ(sink_->lines.size(), 1U);
    EXPECT_THAT(sink_->lines.back(), HasSubstr("source=src"));
    EXPECT_THAT(sink_->lines.back(), ::testing::Not(HasSubstr(kJsonUrl)));
}

config::HttpJsonSource timed_json_source(const std::string& url) {
    config::HttpJsonSource json;
    json.url = url;
    json.select.items = "/rows";
    json.select.metrics = {{.metric = "sold", .value = "/sold", .time = "/day"},
                           {.metric = "stock", .value = "/stock"}};
    return json;
}

TEST_F(Source, RowsWithTimesAreTotalsAndTheNewestCounts) {
    config::SourceConfig source = source_config(timed_json_source(kJsonUrl));
    source.out_of_order_window = std::chrono::hours(24 * 40);
    transport_.answer_always(kJsonUrl,
                             json(200, R"({"rows":[{"sold":5,"stock":9,"day":"2026-05-01"},
                                        {"sold":7,"stock":null,"day":"2026-05-02"}]})"));
    poll_source(source);
    EXPECT_EQ(series_of("sold").at(0).values, (std::vector<double>{5, 7}));
    EXPECT_EQ(appender_.appended.at("sold").at(0),
              (FailingAppender::Appended{model::MetricKind::kTotal, source.out_of_order_window}));
    EXPECT_EQ(appender_.appended.at("stock").at(0),
              (FailingAppender::Appended{model::MetricKind::kGauge, source.out_of_order_window}));
    EXPECT_EQ(appender_.appended.at("up").at(0).kind, model::MetricKind::kGauge);

    transport_.answer_always(kJsonUrl,
                             json(200, R"({"rows":[{"sold":6,"stock":9,"day":"2026-05-01"},
                                        {"sold":7,"stock":null,"day":"2026-05-02"}]})"));
    poll_once();
    EXPECT_EQ(series_of("sold").at(0).values, (std::vector<double>{6, 7}));
    EXPECT_EQ(appender_.appended.at("sold").size(), 3U) << "one more";
    EXPECT_TRUE(sink_->lines.empty());
}

TEST_F(Source, RowsThatDidNotChangeAreNotStoredAgain) {
    transport_.answer_always(kJsonUrl,
                             json(200, R"({"rows":[{"sold":5,"stock":9,"day":"2026-05-01"}]})"));
    poll_source(source_config(timed_json_source(kJsonUrl)));
    poll_once();
    poll_once();
    EXPECT_EQ(appender_.appended.at("sold").size(), 1U);
    EXPECT_EQ(appender_.appended.at("stock").size(), 3U);
    EXPECT_EQ(up(), 1);
    // Gone is not stale: a figure of a period stays.
    transport_.answer_always(kJsonUrl, json(200, R"({"rows":[]})"));
    poll_once();
    EXPECT_EQ(newest("sold").begin()->second, "5");
    EXPECT_EQ(newest("stock").begin()->second, "stale");
}

TEST_F(Source, RowsThatStorageRefusesAreTriedAgainAndToldOnce) {
    transport_.answer_always(kJsonUrl,
                             json(200, R"({"rows":[{"sold":5,"stock":9,"day":"2026-05-01"}]})"));
    appender_.refused = {{"sold", model::RejectReason::kTooOld}};
    poll_source(source_config(timed_json_source(kJsonUrl)));
    poll_once();
    EXPECT_EQ(appender_.appended.at("sold").size(), 2U);
    EXPECT_EQ(sink_->lines.size(), 1U);
    appender_.failure = unavailable("the disk is full");
    poll_once();
    appender_.failure.reset();
    appender_.refused.clear();
    poll_once();
    poll_once();
    EXPECT_EQ(appender_.appended.at("sold").size(), 3U);
}

TEST_F(Source, DeclaredEventsAreTakenOnceEach) {
    config_.metrics = {{"sold", {.kind = model::MetricKind::kEvent}}};
    storage_.declare_kinds({{"sold", model::MetricKind::kEvent}});
    const std::string one = R"({"sold":5,"stock":1,"day":"2026-05-01"})";
    transport_.answer_always(kJsonUrl, json(200, R"({"rows":[)" + one + "," + one + "]}"));
    poll_source(source_config(timed_json_source(kJsonUrl)));
    poll_once();
    EXPECT_EQ(sample_count("sold"), 2U);
    transport_.answer_always(kJsonUrl,
                             json(200, R"({"rows":[)" + one + "," + one + "," + one + "]}"));
    // A change of the settings takes nothing twice.
    config_.sources[0].interval *= 2;
    ASSERT_TRUE(apply().has_value());
    poll_once();
    poll_once();
    EXPECT_EQ(sample_count("sold"), 3U);
}

TEST_F(Source, EventsThatAreStoredAreNotTakenAgainAfterAStart) {
    config_.metrics = {{"sold", {.kind = model::MetricKind::kEvent}}};
    storage_.declare_kinds({{"sold", model::MetricKind::kEvent}});
    const std::string one = R"({"sold":5,"stock":1,"day":"2026-05-01"})";
    const std::string other = R"({"sold":6,"stock":1,"day":"2026-05-02"})";
    transport_.answer_always(kJsonUrl,
                             json(200, R"({"rows":[)" + one + "," + one + "," + other + "]}"));
    poll_source(source_config(timed_json_source(kJsonUrl)));
    EXPECT_EQ(sample_count("sold"), 3U);
    // Away and back again: nothing is remembered but what is stored.
    config_.sources.clear();
    ASSERT_TRUE(apply().has_value());
    poll_once();
    transport_.answer_always(
        kJsonUrl, json(200, R"({"rows":[)" + one + "," + one + "," + one + "," + other + "]}"));
    poll_source(source_config(timed_json_source(kJsonUrl)));
    poll_once();
    EXPECT_EQ(sample_count("sold"), 4U);
}

TEST_F(Source, IsShownWithWhyItFailed) {
    EXPECT_TRUE(ingest_->sources().empty());
    transport_.answer_always(kJsonUrl, http_answer(500));
    config_.sources = {source_config(json_source())};
    config_.scrape_configs = {scrape_config()};
    ASSERT_TRUE(apply().has_value());
    ASSERT_EQ(ingest_->sources().size(), 1U);
    EXPECT_EQ(ingest_->sources().at(0).health, "unknown");
    poll_once();
    const SourceView view = ingest_->sources().at(0);
    EXPECT_EQ(view.id, "src");
    EXPECT_EQ(view.kind, "http_json");
    EXPECT_EQ(view.health, "down");
    EXPECT_THAT(view.last_error, HasSubstr("500"));
    EXPECT_NE(view.last_poll, Timestamp());
}

TEST_F(Source, HttpJsonTellsWhatIsWrong) {
    struct Case {
        std::string name;
        kpid::testing::FakeTransport::Answer answer;
    };
    const std::vector<Case> cases{
        {"unreachable", unavailable("connection refused")},
        {"status", http_answer(404)},
        {"HTML", http_answer(200, "<html></html>", {{"Content-Type", "text/html"}})},
        {"cut off", json(200, R"({"rows":[)")},
        {"no items", json(200, R"({"columns":[]})")},
        {"only bad items", json(200, R"({"rows":[{"net":true}, {}]})")},
        {"endless", resource_exhausted("too long")}};
    config_.sources = {source_config(json_source())};
    ASSERT_TRUE(apply().has_value());
    double failures = 0;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        transport_.answer_always(kJsonUrl, json(200, R"({"rows":[{"net":100,"shop":"de"}]})"));
        poll_once();
        ASSERT_EQ(up(), 1);
        transport_.answer_always(kJsonUrl, c.answer);
        poll_once();
        EXPECT_EQ(up(), 0);
        EXPECT_EQ(newest("orders_eur").begin()->second, "stale");
        EXPECT_EQ(counted("kpid_source_scrape_failures_total", {{"source", "src"}}), ++failures);
    }
}

TEST_F(Source, PromqlAsksEachQueryAndKeepsItsLabels) {
    const std::int64_t due = sim_.clock().wall_now().ms();
    transport_.answer_next(kQueryUrl,
                           json(200, R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"x","job":"node"},"value":[1,"3"]},
            {"metric":{"env":"prod"},"value":[1,"4"]}]}})"));
    transport_.answer_next(
        kQueryUrl,
        json(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})"));
    poll_source(source_config(promql_source()));
    EXPECT_EQ(newest("jobs"), (Values{{R"(jobs{exported_job="node", job="src"})", "3"},
                                      {R"(jobs{env="prod", job="src"})", "4"}}));
    EXPECT_EQ(newest("now"), (Values{{R"(now{job="src"})", "7"}}));
    EXPECT_GE(series_of("now").at(0).times.at(0).ms(), due);
    EXPECT_EQ(up(), 1);

    const net::HttpClientRequest request = transport_.requests().at(0);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.headers.get("Content-Type"), "application/x-www-form-urlencoded");
    EXPECT_THAT(request.body, HasSubstr("query=count%20by%20%28job%29%20%28up%29&time="));
}

TEST_F(Source, PromqlKeepsWhatOtherQueriesAnsweredWhenOneFails) {
    transport_.answer_next(
        kQueryUrl,
        json(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})"));
    transport_.answer_next(
        kQueryUrl, json(400, R"({"status":"error","errorType":"bad_data","error":"parse error"})"));
    poll_source(source_config(promql_source()));
    EXPECT_EQ(newest("jobs").begin()->second, "7");
    EXPECT_EQ(up(), 0);

    transport_.answer_always(kQueryUrl, http_answer(502, "<html>bad gateway</html>"));
    poll_once();
    EXPECT_EQ(newest("jobs").begin()->second, "stale");
    EXPECT_EQ(up(), 0);
}

TEST_F(Source, PromqlHasManyRequestsUnderWayButNoMoreThanItsLimit) {
    config::PromqlSource promql = promql_source();
    for (int i = 0; i < 20; ++i) {
        promql.queries.push_back({.metric = fmt::format("q{}", i), .expr = "1"});
    }
    transport_.hold(kQueryUrl);
    poll_source(source_config(promql));
    EXPECT_EQ(transport_.waiting(kQueryUrl), 8U);
    for (int i = 0; i < 22; ++i) {
        ASSERT_TRUE(transport_.answer_held(
            kQueryUrl,
            json(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})")));
        sim_.run_until_idle();
        EXPECT_LE(transport_.waiting(kQueryUrl), 8U);
    }
    EXPECT_EQ(newest("q19").begin()->second, "7");
    EXPECT_EQ(up(), 1);
}

TEST_F(Source, PromqlTellsWhatTheServerSaysBesideItsAnswers) {
    transport_.answer_always(kQueryUrl,
                             json(200, R"({"status":"success","warnings":["w"],"infos":["i"],
        "isPartial":true,"data":{"resultType":"scalar","result":[1,"7"]}})"));
    poll_source(source_config(promql_source()));
    poll_once();
    const SourceNotes notes = ingest_->sources().at(0).notes;
    ASSERT_EQ(notes.notes.size(), 6U);
    EXPECT_EQ(notes.notes[0], (SourceNotes::Note{"jobs", "warning", "w"}));
    EXPECT_EQ(notes.notes[1], (SourceNotes::Note{"jobs", "info", "i"}));
    EXPECT_EQ(notes.notes[2].kind, "partial");
    EXPECT_FALSE(notes.has_history);
    EXPECT_EQ(counted("kpid_source_query_notes_total", {{"source", "src"}, {"kind", "warning"}}),
              4);
    EXPECT_EQ(sink_->lines.size(), 6U) << "each is told once";
    EXPECT_EQ(up(), 1);
    transport_.answer_always(
        kQueryUrl,
        json(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})"));
    poll_once();
    EXPECT_TRUE(ingest_->sources().at(0).notes.notes.empty());
}

TEST_F(Source, StatesOfFailureOfOneDoNotTouchAnother) {
    config::SourceConfig demo = source_config(config::DemoSource());
    demo.id = "demo";
    transport_.hold(kJsonUrl);
    config_.sources = {demo, source_config(json_source())};
    ASSERT_TRUE(apply().has_value());
    poll_once();
    poll_once();
    EXPECT_EQ(sample_count("demo_orders_total"), 2U);
}

TEST_F(Source, ReplacesAChangedQuery) {
    transport_.answer_always(
        kQueryUrl,
        json(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"7"]}})"));
    config::PromqlSource promql = promql_source();
    poll_source(source_config(promql));
    promql.queries.pop_back();
    config_.sources = {source_config(promql)};
    ASSERT_TRUE(apply().has_value());
    EXPECT_EQ(newest("now").begin()->second, "7");
    poll_once();
    EXPECT_EQ(newest("jobs").begin()->second, "7");
    EXPECT_EQ(newest("now").begin()->second, "stale");
}

TEST(DemoShape, SlipsAndRecoversEveryTwoMinutes) {
    using std::chrono::seconds;
    for (const int period : {0, 1, 50}) {
        SCOPED_TRACE(period);
        const Duration begin = period * DemoShape::kPeriod;
        for (int second = 0; second < 120; ++second) {
            const DemoShape shape = DemoShape::at(begin + seconds(second));
            SCOPED_TRACE(second);
            if (second <= 15 || second >= 50) {
                EXPECT_LE(shape.error_ratio, 0.008);
            } else if (second >= 20 && second <= 45) {
                EXPECT_GE(shape.error_ratio, 0.08);
                EXPECT_GE(shape.response_seconds, 0.8);
            }
        }
    }
}

TEST(DemoShape, OrdersNeverFallAndAreFewerInTheSlip) {
    using std::chrono::seconds;
    std::uint64_t before = 0;
    for (int second = 0; second < 500; ++second) {
        const std::uint64_t orders = DemoShape::at(seconds(second)).orders;
        EXPECT_GE(orders, before);
        before = orders;
    }
    const auto between = [](int from, int to) {
        return DemoShape::at(seconds(to)).orders - DemoShape::at(seconds(from)).orders;
    };
    EXPECT_EQ(between(0, 15), 30U);
    EXPECT_EQ(between(20, 45), 10U);
    EXPECT_EQ(between(60, 110), 100U);
}

}  // namespace
}  // namespace kpid::ingest
