// Scrapes from request to stored samples.

#include "ingest/ingest_fixture.h"

#include <gmock/gmock.h>

namespace kpid::ingest {
namespace {

using kpid::testing::http_answer;
using ::testing::HasSubstr;

using Scrape = IngestFixture;

TEST_F(Scrape, StoresSamplesWithTheTargetsLabelsAndReports) {
    serve("a 1\nb{x=\"1\",job=\"theirs\"} 2\n");
    scrape_with(scrape_config());
    poll_once();

    EXPECT_EQ(newest("a"), (Values{{R"(a{instance="a:1", job="job"})", "1"}}));
    EXPECT_EQ(newest("b"),
              (Values{{R"(b{exported_job="theirs", instance="a:1", job="job", x="1"})", "2"}}));
    const std::string target = R"({instance="a:1", job="job"})";
    EXPECT_EQ(newest("up"), (Values{{"up" + target, "1"}}));
    EXPECT_EQ(newest("scrape_samples_scraped"), (Values{{"scrape_samples_scraped" + target, "2"}}));
    EXPECT_EQ(newest("scrape_samples_post_metric_relabeling"),
              (Values{{"scrape_samples_post_metric_relabeling" + target, "2"}}));
    EXPECT_EQ(newest("scrape_series_added"), (Values{{"scrape_series_added" + target, "2"}}));
    EXPECT_EQ(newest("scrape_duration_seconds").size(), 1U);

    poll_once();
    EXPECT_EQ(newest("scrape_series_added"), (Values{{"scrape_series_added" + target, "0"}}));
    EXPECT_EQ(sample_count("a"), 2U);
    EXPECT_EQ(counted("kpid_ingest_samples_total", {{"protocol", "scrape"}}), 14);
    EXPECT_EQ(counted("kpid_source_up", {{"source", "job"}}), 1);
    EXPECT_EQ(counted("kpid_source_scrapes_total", {{"source", "job"}}), 2);
}

TEST_F(Scrape, NamesKnownSeriesByTheStoragesHandles) {
    scrape_with(scrape_config());
    serve("a 1\nb{x=\"1\"} 2\n");
    poll_once();
    EXPECT_EQ(appender_.known_handles, 0U);
    serve("b{x=\"1\"} 3\nc 4\na 5\n");
    poll_once();
    EXPECT_EQ(appender_.known_handles, 2U + 5U);  // and the reports
    EXPECT_EQ(newest("a"), (Values{{R"(a{instance="a:1", job="job"})", "5"}}));
    EXPECT_EQ(newest("b"), (Values{{R"(b{instance="a:1", job="job", x="1"})", "3"}}));
}

TEST_F(Scrape, RemembersWhatTargetsSayOfTheirMetrics) {
    const auto said = [this] {
        std::string text;
        for (const TargetMetadata& target : ingest_->target_metadata()) {
            text += target.labels.to_string();
            for (const model::MetricMetadata& one : *target.metrics) {
                text +=
                    fmt::format(" {} {} '{}'", one.family, model::to_string(one.type), one.help);
            }
        }
        return text;
    };
    scrape_with(scrape_config());
    EXPECT_EQ(said(), "");
    serve("# HELP a Some\\nthings.\n# TYPE a counter\na 1\n# TYPE b gauge\nb 2\n");
    poll_once();
    const std::string target = R"({instance="a:1", job="job"})";
    EXPECT_EQ(said(), target + " a counter 'Some\nthings.' b gauge ''");
    const auto list = ingest_->target_metadata().at(0).metrics;
    poll_once();
    EXPECT_EQ(ingest_->target_metadata().at(0).metrics, list);  // nothing new, nothing copied
    serve("# HELP a Some\\nthings.\n# TYPE a gauge\na 1\n");
    poll_once();
    EXPECT_EQ(said(), target + " a gauge 'Some\nthings.'");
    // A scrape that fails says nothing.
    serve("# TYPE z gauge\nz\n");
    poll_once();
    EXPECT_EQ(said(), target + " a gauge 'Some\nthings.'");
    serve("# TYPE z gauge\nz 1\n");
    poll_once();
    EXPECT_EQ(said(), target + " z gauge ''");
}

TEST_F(Scrape, IsAlignedToItsInterval) {
    serve("a 1\n");
    scrape_with(scrape_config());
    poll_once();
    poll_once();
    const std::vector<Timestamp> times = series_of("up").at(0).times;
    ASSERT_EQ(times.size(), 2U);
    EXPECT_EQ(times[1] - times[0], kInterval);
    EXPECT_EQ(series_of("a").at(0).times, times);
}

TEST_F(Scrape, AsksAsPrometheusDoes) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.metrics_path = "/some path";
    scrape.params = {{"match[]", "x y"}, {"match[]", "z"}, {"name", "v"}};
    scrape.body_size_limit = 1000;
    scrape_with(scrape);
    poll_once();

    const std::vector<net::HttpClientRequest> requests = transport_.requests();
    ASSERT_EQ(requests.size(), 1U);
    const net::HttpClientRequest& request = requests[0];
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.url, "http://a:1/some%20path?match%5B%5D=x%20y&match%5B%5D=z&name=v");
    EXPECT_EQ(request.headers.get("Accept-Encoding"), "gzip");
    EXPECT_TRUE(request.headers.get_or("Accept", "").starts_with("application/openmetrics-text"));
    EXPECT_EQ(request.headers.get("X-Prometheus-Scrape-Timeout-Seconds"), "4");
    EXPECT_EQ(request.timeout, Duration(4000));
    EXPECT_EQ(request.response_bytes_max, 1000U);
}

TEST_F(Scrape, AsksForTheProtocolsThatAreConfigured) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.scrape_protocols = {"PrometheusText0.0.4", "PrometheusProto", "OpenMetricsText1.0.0"};
    scrape.enable_compression = false;
    scrape_with(scrape);
    poll_once();
    const net::HttpClientRequest request = transport_.requests().at(0);
    EXPECT_EQ(request.headers.get("Accept"),
              "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,"
              "*/*;q=0.1");
    EXPECT_FALSE(request.headers.has("Accept-Encoding"));
}

TEST_F(Scrape, ReadsOpenMetricsAndLeavesCreatedTimesOut) {
    serve("# TYPE a counter\na_total 5\na_created 123\n# EOF\n",
          "application/openmetrics-text; version=1.0.0; charset=utf-8");
    scrape_with(scrape_config());
    poll_once();
    EXPECT_EQ(newest("a_total").size(), 1U);
    EXPECT_TRUE(newest("a_created").empty());
}

TEST_F(Scrape, KeepsExemplarsUnderTheFinalLabels) {
    serve(
        "# TYPE a counter\n"
        "a_total 5 # {trace_id=\"x\"} 0.5\n"
        "# EOF\n",
        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    scrape_with(scrape_config());
    poll_once();
    poll_once();  // without a time of its own it is the same one
    const std::vector<model::Matcher> all = {model::Matcher::equal("job", "job")};
    const std::vector<SeriesExemplars> found = exemplars_.select({&all, 1}, {});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].series.to_string(), "a_total{instance=\"a:1\", job=\"job\"}");
    ASSERT_EQ(found[0].exemplars.size(), 1U);
    EXPECT_EQ(found[0].exemplars[0].labels, model::Labels({{"trace_id", "x"}}));
    EXPECT_EQ(found[0].exemplars[0].value, 0.5);
    EXPECT_EQ(found[0].exemplars[0].time, series_of("a_total").at(0).times.at(0));
}

TEST_F(Scrape, KeepsTheSamplesLabelsWhenHonored) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.honor_labels = true;
    serve("a{job=\"theirs\",exported_job=\"x\"} 1\n");
    scrape_with(scrape);
    poll_once();
    EXPECT_EQ(newest("a"), (Values{{R"(a{exported_job="x", instance="a:1", job="theirs"})", "1"}}));
}

TEST_F(Scrape, MarksStaleWhatVanishesButNotWhatHasTimesOfItsOwn) {
    const std::int64_t now = sim_.clock().wall_now().ms();
    serve(fmt::format("a 1\nb 2\nc 3 {}\n", now));
    scrape_with(scrape_config());
    poll_once();
    serve("b 2\n");
    poll_once();
    EXPECT_EQ(newest("a").begin()->second, "stale");
    EXPECT_EQ(newest("b").begin()->second, "2");
    EXPECT_EQ(newest("c").begin()->second, "3");
    EXPECT_EQ(series_of("c").at(0).times, std::vector<Timestamp>{Timestamp(now)});

    // Told once, and not again.
    poll_once();
    EXPECT_EQ(sample_count("a"), 2U);
    serve("a 4\nb 2\n");
    poll_once();
    EXPECT_EQ(newest("a").begin()->second, "4");
}

TEST_F(Scrape, TracksOwnTimesWhenToldToAndIgnoresThemWhenNotHonored) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.track_timestamps_staleness = true;
    serve(fmt::format("a 1 {}\n", sim_.clock().wall_now().ms()));
    scrape_with(scrape);
    poll_once();
    serve("");
    poll_once();
    EXPECT_EQ(newest("a").begin()->second, "stale");

    scrape.track_timestamps_staleness = false;
    scrape.honor_timestamps = false;
    serve("b 1 1000\n");
    scrape_with(scrape);
    poll_once();
    EXPECT_GT(series_of("b").at(0).times.at(0), Timestamp(1'000'000));
}

TEST_F(Scrape, FirstOfRepeatedSamplesWins) {
    serve("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\na{x=\"1\",y=\"2\"} 3\n");
    scrape_with(scrape_config());
    poll_once();
    EXPECT_EQ(newest("a"), (Values{{R"(a{instance="a:1", job="job", x="1", y="2"})", "1"}}));
    EXPECT_EQ(
        counted("kpid_ingest_rejected_total", {{"protocol", "scrape"}, {"reason", "repeated"}}), 2);
    EXPECT_EQ(ingest_->targets().at(0).health, "up");
}

TEST_F(Scrape, RelabelsSamples) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.metric_relabel_configs = {
        *model::RelabelConfig::make({.source_labels = {"__name__"},
                                     .regex = "secret_.*",
                                     .action = model::RelabelAction::kDrop}),
        *model::RelabelConfig::make(
            {.source_labels = {"x"}, .target_label = "y", .replacement = "_$1"})};
    serve("secret_a 1\nb{x=\"1\"} 2\n");
    scrape_with(scrape);
    poll_once();
    poll_once();
    EXPECT_TRUE(newest("secret_a").empty());
    EXPECT_EQ(newest("b"), (Values{{R"(b{instance="a:1", job="job", x="1", y="_1"})", "2"}}));
    EXPECT_EQ(newest("scrape_samples_scraped").begin()->second, "2");
    EXPECT_EQ(newest("scrape_samples_post_metric_relabeling").begin()->second, "1");
}

TEST_F(Scrape, FailsAsAWholeAndMarksEverythingStale) {
    struct Case {
        std::string name;
        kpid::testing::FakeTransport::Answer answer;
        std::string error;
        std::string scraped;
    };
    const net::HttpHeaders text{{"Content-Type", "text/plain"}};
    const std::vector<Case> cases{
        {"unreachable", unavailable("connection refused"), "connection refused", "0"},
        {"endless", resource_exhausted("the response is longer than 1000 bytes"), "longer", "0"},
        {"slow", Error{Code::kDeadlineExceeded, "timed out"}, "timed out", "0"},
        {"status", http_answer(503), "server returned HTTP status 503 Service Unavailable", "0"},
        {"HTML", http_answer(200, "<html>", {{"Content-Type", "text/html"}}),
         "unsupported Content-Type", "0"},
        {"a bad line", http_answer(200, "a 1\nb two\n", text), "line 2", "1"},
        {"too many samples", http_answer(200, "a 1\nb 2\nc 3\nd 4\ne 5\nf 6\n", text),
         "sample limit exceeded", "6"},
        {"too many labels", http_answer(200, "a{b=\"1\",c=\"2\",d=\"3\"} 1\n", text),
         "label_limit exceeded", "1"},
        {"a long name", http_answer(200, "a{a_very_long_name=\"1\"} 1\n", text),
         "label_name_length_limit exceeded", "1"},
        {"a long value", http_answer(200, "a{b=\"a very long value\"} 1\n", text),
         "label_value_length_limit exceeded", "1"}};
    config::ScrapeConfig scrape = scrape_config();
    scrape.sample_limit = 3;
    scrape.label_limit = 5;
    scrape.label_name_length_limit = 12;
    scrape.label_value_length_limit = 12;
    scrape_with(scrape);
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        serve("a 1\nz 2\n");
        poll_once();
        ASSERT_EQ(newest("a").begin()->second, "1");
        ASSERT_EQ(ingest_->targets().at(0).health, "up");
        transport_.answer_always(kUrl, c.answer);
        poll_once();
        poll_once();
        EXPECT_EQ(newest("a").begin()->second, "stale");
        EXPECT_EQ(newest("z").begin()->second, "stale");
        EXPECT_EQ(newest("up").begin()->second, "0");
        EXPECT_EQ(newest("scrape_samples_scraped").begin()->second, c.scraped);
        EXPECT_TRUE(newest("b").empty());
        EXPECT_EQ(counted("kpid_source_up", {{"source", "job"}}), 0);
        const TargetView target = ingest_->targets().at(0);
        EXPECT_EQ(target.health, "down");
        EXPECT_THAT(target.last_error, HasSubstr(c.error));
    }
}

TEST_F(Scrape, ReadsUnknownTypesAsTheFallbackSays) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.fallback_scrape_protocol = "PrometheusText0.0.4";
    serve("a 1\n", "application/octet-stream");
    scrape_with(scrape);
    poll_once();
    EXPECT_EQ(newest("a").begin()->second, "1");
}

TEST_F(Scrape, CountsAsFailedWhenStorageFails) {
    serve("a 1\n");
    scrape_with(scrape_config());
    appender_.failure = unavailable("disk full");
    poll_once();
    EXPECT_EQ(ingest_->targets().at(0).last_error, "disk full");
    EXPECT_EQ(counted("kpid_ingest_store_failures_total"), 1);
    EXPECT_FALSE(ingest_->answered_since_start("job"));
    appender_.failure.reset();
    poll_once();
    EXPECT_EQ(newest("a").begin()->second, "1");
    EXPECT_TRUE(ingest_->answered_since_start("job"));
}

TEST_F(Scrape, CountsWhatStorageRefuses) {
    appender_.refused = {{"kpid_x", model::RejectReason::kReserved},
                         {"old", model::RejectReason::kTooOld}};
    serve("a 1\nkpid_x 1\nold 1\n");
    scrape_with(scrape_config());
    poll_once();
    EXPECT_EQ(newest("up").begin()->second, "1");
    for (const char* reason : {"reserved", "too_old"}) {
        EXPECT_EQ(
            counted("kpid_ingest_rejected_total", {{"protocol", "scrape"}, {"reason", reason}}), 1)
            << reason;
    }
}

TEST_F(Scrape, LogsWhatStorageRefusesWhenItChanges) {
    appender_.refused = {{"kpid_x", model::RejectReason::kReserved},
                         {"old", model::RejectReason::kTooOld}};
    serve("kpid_x 1\n");
    scrape_with(scrape_config());
    poll_once();
    EXPECT_TRUE(sink_->lines.empty());
    serve("old{a=\"1\"} 1\nold{a=\"2\"} 1\n");
    poll_once();
    poll_once();
    ASSERT_EQ(sink_->lines.size(), 1U);
    for (const char* part : {"source=job", "dropped=\"2 too_old\"", "error=refused"}) {
        EXPECT_THAT(sink_->lines.back(), HasSubstr(part));
    }
    serve("a 1\n");
    poll_once();
    serve("old 1\n");
    poll_once();
    EXPECT_EQ(sink_->lines.size(), 2U);
}

TEST_F(Scrape, NeverRunsTwiceAtOnce) {
    transport_.hold(kUrl);
    scrape_with(scrape_config());
    for (int i = 0; i < 5; ++i) {
        poll_once();
    }
    EXPECT_EQ(transport_.waiting(kUrl), 1U);
    transport_.stop_holding(kUrl);
    ASSERT_TRUE(transport_.answer_held(kUrl, http_answer(200, "a 1\n")));
    // One of the missed rounds is made up for, then the rhythm is the old one.
    sim_.run_until_idle();
    EXPECT_EQ(transport_.count(), 2U);
    poll_once();
    EXPECT_EQ(transport_.count(), 3U);
}

TEST_F(Scrape, MakesUpForTheRoundThatATimeoutTook) {
    transport_.hold(kUrl);
    scrape_with(scrape_config());
    poll_once();
    for (std::size_t i = 1; i < 10; ++i) {
        // Each answer comes a little after the next round was due.
        sim_.advance(kInterval);
        ASSERT_TRUE(transport_.answer_held(kUrl, unavailable("timed out")));
        sim_.run_until_idle();
        EXPECT_EQ(transport_.count(), i + 1);
    }
}

TEST_F(Scrape, LogsAnErrorWhenItChanges) {
    scrape_with(scrape_config());
    for (int i = 0; i < 5; ++i) {
        transport_.answer_always(
            kUrl,
            unavailable(fmt::format("port 1 failed after {} ms with {} out of {} bytes received", i,
                                    2 * i, 9 * i)));
        poll_once();
    }
    EXPECT_EQ(sink_->lines.size(), 1U);
    transport_.answer_always(kUrl, http_answer(500));
    poll_once();
    transport_.answer_always(kUrl, http_answer(503));
    poll_once();
    EXPECT_EQ(sink_->lines.size(), 3U);
    serve("a 1\n");
    poll_once();
    poll_once();
    ASSERT_EQ(sink_->lines.size(), 4U);
    EXPECT_THAT(sink_->lines.back(), HasSubstr("a source answers again"));
}

TEST_F(Scrape, OneBadTargetHarmsNoOther) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.static_configs = {{.targets = {"a:1", "b:1"}}};
    transport_.hold("http://b:1/metrics");
    serve("a 1\n");
    scrape_with(scrape);
    poll_once();
    poll_once();
    EXPECT_EQ(sample_count("a"), 2U);
    EXPECT_FALSE(ingest_->answered_since_start("job"));
    EXPECT_EQ(counted("kpid_source_up", {{"source", "job"}}), 0);
}

}  // namespace
}  // namespace kpid::ingest
