// What a new configuration starts, stops and leaves alone.

#include "ingest/ingest_fixture.h"
#include "ingest/schedule.h"

#include <gmock/gmock.h>

namespace kpid::ingest {
namespace {

using ::testing::HasSubstr;

using Reconfigure = IngestFixture;

TEST_F(Reconfigure, LeavesTheUnchangedAlone) {
    serve("a 1\n");
    scrape_with(scrape_config());
    poll_once();
    config_.sources.push_back(source_config(config::DemoSource()));
    ASSERT_TRUE(apply().has_value());
    poll_once();
    ASSERT_TRUE(apply().has_value());
    poll_once();
    EXPECT_EQ(sample_count("a"), 3U);
    EXPECT_EQ(newest("a").begin()->second, "1");
    EXPECT_TRUE(ingest_->answered_since_start("job"));
}

TEST_F(Reconfigure, MarksTheSeriesOfARemovedTargetStale) {
    config::ScrapeConfig scrape = scrape_config();
    serve("a 1\n");
    transport_.answer_always("http://b:1/metrics", kpid::testing::http_answer(200, "b 1\n"));
    scrape.static_configs = {{.targets = {"a:1", "b:1"}}};
    scrape_with(scrape);
    poll_once();
    scrape.static_configs = {{.targets = {"b:1"}}};
    scrape_with(scrape);
    EXPECT_EQ(newest("a").begin()->second, "stale");
    EXPECT_EQ(newest("b").begin()->second, "1");
    EXPECT_EQ(newest("up"), (Values{{R"(up{instance="a:1", job="job"})", "stale"},
                                    {R"(up{instance="b:1", job="job"})", "1"}}));
    EXPECT_EQ(ingest_->targets().size(), 1U);
    poll_once();
    EXPECT_EQ(sample_count("a"), 2U);
}

TEST_F(Reconfigure, EndsARequestThatWaits) {
    transport_.hold(kUrl);
    scrape_with(scrape_config());
    poll_once();
    ASSERT_EQ(transport_.waiting(kUrl), 1U);
    config_.scrape_configs.clear();
    ASSERT_TRUE(apply().has_value());
    EXPECT_EQ(transport_.waiting(kUrl), 0U);
    EXPECT_TRUE(ingest_->targets().empty());
    EXPECT_FALSE(ingest_->is_polled("job"));
    EXPECT_EQ(counted("kpid_source_up", {{"source", "job"}}), -1);
}

TEST_F(Reconfigure, GoesOnWithTheSeriesWhenOnlyTheWayOfScrapingChanged) {
    serve("a 1\nb 1\n");
    config::ScrapeConfig scrape = scrape_config();
    scrape_with(scrape);
    poll_once();
    scrape.metric_relabel_configs = {*model::RelabelConfig::make(
        {.source_labels = {"__name__"}, .regex = "b", .action = model::RelabelAction::kDrop})};
    scrape_with(scrape);
    EXPECT_EQ(newest("a").begin()->second, "1");
    EXPECT_EQ(newest("b").begin()->second, "1");
    EXPECT_TRUE(ingest_->answered_since_start("job"));
    poll_once();
    EXPECT_EQ(sample_count("a"), 2U);
    EXPECT_EQ(newest("a").begin()->second, "1");
    EXPECT_EQ(newest("b").begin()->second, "stale");
}

TEST_F(Reconfigure, KnowsWhichJobsArePolledAndHaveAnswered) {
    serve("a 1\n");
    config_.scrape_configs = {scrape_config()};
    config_.sources = {source_config(config::DemoSource())};
    EXPECT_TRUE(ingest_->all_answered_since_start());
    ASSERT_TRUE(apply().has_value());
    EXPECT_TRUE(ingest_->is_polled("job"));
    EXPECT_TRUE(ingest_->is_polled("src"));
    EXPECT_FALSE(ingest_->is_polled("pushed"));
    EXPECT_FALSE(ingest_->answered_since_start("job"));
    EXPECT_FALSE(ingest_->all_answered_since_start());
    poll_once();
    EXPECT_TRUE(ingest_->answered_since_start("job"));
    EXPECT_TRUE(ingest_->all_answered_since_start());
    // It stays so when the peer goes away again.
    transport_.answer_always(kUrl, unavailable("gone"));
    poll_once();
    EXPECT_TRUE(ingest_->answered_since_start("job"));
}

TEST_F(Reconfigure, ShowsTargetsInOrderAndDroppedOnes) {
    config::ScrapeConfig scrape = scrape_config();
    scrape.static_configs = {{.targets = {"c:1", "a:1", "b:1"}}};
    scrape.relabel_configs = {*model::RelabelConfig::make(
        {.source_labels = {"__address__"}, .regex = "b:1", .action = model::RelabelAction::kDrop})};
    scrape_with(scrape);
    const std::vector<TargetView> targets = ingest_->targets();
    ASSERT_EQ(targets.size(), 3U);
    EXPECT_TRUE(targets[0].dropped);
    EXPECT_EQ(targets[0].discovered_labels.get("__address__"), "b:1");
    EXPECT_EQ(targets[1].scrape_url, kUrl);
    EXPECT_EQ(targets[1].health, "unknown");
    EXPECT_EQ(targets[1].scrape_pool, "job");
    EXPECT_EQ(targets[1].scrape_interval, kInterval);
    EXPECT_EQ(targets[2].scrape_url, "http://c:1/metrics");
}

TEST_F(Reconfigure, TellsAnAddressThatCannotBeHad) {
    config_.listeners.statsd = config::StatsdListener{.udp = "192.0.2.1:1"};
    const Result<void> applied = apply();
    ASSERT_FALSE(applied.has_value());
    EXPECT_THAT(applied.error().message, HasSubstr("listeners.statsd.udp"));
    EXPECT_THAT(applied.error().message, HasSubstr("192.0.2.1:1"));
}

TEST_F(Reconfigure, IsWholeOrNotAtAll) {
    serve("a 1\n");
    config_.listeners.statsd = config::StatsdListener{.udp = "127.0.0.1:0"};
    scrape_with(scrape_config());
    const config::Config running = config_;
    config_.scrape_configs.clear();
    config_.sources = {source_config(config::DemoSource())};
    config_.listeners.statsd->udp = "192.0.2.1:1";
    EXPECT_FALSE(ingest_->prepare(config_).has_value());
    EXPECT_FALSE(apply().has_value());
    EXPECT_TRUE(ingest_->is_polled("job"));
    EXPECT_FALSE(ingest_->is_polled("src"));
    poll_once();
    EXPECT_EQ(newest("a").begin()->second, "1");
    // The listener that runs was not closed: its configuration binds nothing anew.
    const std::size_t bound = sink_->lines.size();
    config_ = running;
    EXPECT_TRUE(apply().has_value());
    EXPECT_EQ(sink_->lines.size(), bound);
}

TEST_F(Reconfigure, MovesToAnAddressThatWasPrepared) {
    config_.listeners.statsd = config::StatsdListener{.udp = "127.0.0.1:0"};
    ASSERT_TRUE(apply().has_value());
    config_.listeners.statsd->udp = "127.0.0.2:0";
    ASSERT_TRUE(ingest_->prepare(config_).has_value());
    ASSERT_EQ(sink_->lines.size(), 1U);
    ASSERT_TRUE(apply().has_value());
    ASSERT_EQ(sink_->lines.size(), 2U);
    EXPECT_THAT(sink_->lines.back(), HasSubstr(config_.listeners.statsd->udp));
}

TEST_F(Reconfigure, PollsSeldomSourcesSoonAfterTheStart) {
    config::SourceConfig source = source_config(config::DemoSource());
    source.interval = std::chrono::hours(24);
    config_.sources = {source};
    ASSERT_TRUE(apply().has_value());
    sim_.advance(Schedule::kFirstWithin);
    EXPECT_TRUE(ingest_->answered_since_start("src"));
}

}  // namespace
}  // namespace kpid::ingest
