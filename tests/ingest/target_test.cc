// Targets, labels, schedules and series: the pure parts.

#include "ingest/schedule.h"
#include "ingest/scrape_target.h"
#include "ingest/series_book.h"
#include "ingest/target_labels.h"

#include <gtest/gtest.h>

namespace kpid::ingest {
namespace {

config::ScrapeConfig config_of(std::vector<std::string> targets) {
    config::ScrapeConfig config;
    config.job_name = "job";
    config.static_configs = {{.targets = std::move(targets)}};
    return config;
}

TEST(ScrapeTarget, HasTheLabelsThatPrometheusGives) {
    config::ScrapeConfig config = config_of({"a:1"});
    config.static_configs[0].labels = {{"env", "prod"}, {"__hidden", "x"}};
    config.params = {{"module", "http"}};
    const std::vector<ScrapeTarget> targets = scrape_targets(config);
    ASSERT_EQ(targets.size(), 1U);
    EXPECT_EQ(targets[0].discovered_labels, (model::Labels{{"__address__", "a:1"},
                                                           {"__hidden", "x"},
                                                           {"__metrics_path__", "/metrics"},
                                                           {"__param_module", "http"},
                                                           {"__scheme__", "http"},
                                                           {"__scrape_interval__", "15s"},
                                                           {"__scrape_timeout__", "10s"},
                                                           {"env", "prod"},
                                                           {"job", "job"}}));
    EXPECT_EQ(targets[0].labels,
              (model::Labels{{"env", "prod"}, {"instance", "a:1"}, {"job", "job"}}));
    EXPECT_EQ(targets[0].url, "http://a:1/metrics?module=http");
}

TEST(ScrapeTarget, IsMadeOfRelabelledLabels) {
    config::ScrapeConfig config = config_of({"a:1"});
    config.relabel_configs = {
        *model::RelabelConfig::make(
            {.source_labels = {"__address__"}, .target_label = "__param_target"}),
        *model::RelabelConfig::make({.target_label = "__address__", .replacement = "probe:2"}),
        *model::RelabelConfig::make({.target_label = "__scheme__", .replacement = "https"}),
        *model::RelabelConfig::make({.target_label = "__metrics_path__", .replacement = "/p"}),
        *model::RelabelConfig::make({.target_label = "__scrape_interval__", .replacement = "1m"}),
        *model::RelabelConfig::make(
            {.source_labels = {"__param_target"}, .target_label = "instance"})};
    const ScrapeTarget target = scrape_targets(config).at(0);
    EXPECT_EQ(target.url, "https://probe:2/p?target=a%3A1");
    EXPECT_EQ(target.labels, (model::Labels{{"instance", "a:1"}, {"job", "job"}}));
    EXPECT_EQ(target.interval, std::chrono::minutes(1));
    EXPECT_TRUE(target.error.empty());
}

TEST(ScrapeTarget, SaysWhyItCannotBeScraped) {
    struct Case {
        const char* label;
        const char* value;
        const char* error;
    };
    const std::vector<Case> cases{
        {"__address__", "", "no address"},
        {"__address__", "a/b", "\"a/b\" is not a valid hostname"},
        {"__scheme__", "ftp", "unsupported scheme \"ftp\""},
        {"__scrape_interval__", "0s", "__scrape_interval__ must be more than 0"},
        {"__scrape_timeout__", "1m", "scrape timeout cannot be greater than scrape interval"}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.error);
        config::ScrapeConfig config = config_of({"a:1"});
        config.relabel_configs = {
            *model::RelabelConfig::make({.target_label = c.label, .replacement = c.value})};
        EXPECT_EQ(scrape_targets(config).at(0).error, c.error);
    }
}

TEST(ScrapeTarget, IsThereOnceAndWithinTheLimit) {
    config::ScrapeConfig config = config_of({"a:1", "b:1", "a:1"});
    EXPECT_EQ(scrape_targets(config).size(), 2U);
    config.target_limit = 1;
    for (const ScrapeTarget& target : scrape_targets(config)) {
        EXPECT_EQ(target.error, "target_limit exceeded");
    }
}

TEST(TargetLabels, MoveClashesToExportedNames) {
    struct Case {
        model::Labels sample;
        model::Labels source;
        model::Labels joined;
    };
    const std::vector<Case> cases{{{{"a", "1"}}, {{"b", "2"}}, {{"a", "1"}, {"b", "2"}}},
                                  {{{"a", "1"}}, {{"a", "2"}}, {{"a", "2"}, {"exported_a", "1"}}},
                                  {{{"a", "1"}, {"exported_a", "0"}},
                                   {{"a", "2"}},
                                   {{"a", "2"}, {"exported_a", "0"}, {"exported_exported_a", "1"}}},
                                  {{{"a", "1"}, {"exported_a", "0"}},
                                   {{"a", "2"}, {"exported_a", "3"}},
                                   {{"a", "2"},
                                    {"exported_a", "3"},
                                    {"exported_exported_a", "1"},
                                    {"exported_exported_exported_a", "0"}}}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.sample.to_string());
        EXPECT_EQ(join_labels(c.sample, c.source, LabelClash::kSourceWins), c.joined);
    }
    EXPECT_EQ(join_labels({{"a", "1"}}, {{"a", "2"}, {"b", "3"}}, LabelClash::kSampleWins),
              (model::Labels{{"a", "1"}, {"b", "3"}}));
}

TEST(Schedule, SpreadsWithinTheIntervalAndKeepsItsRhythm) {
    const Schedule schedule(Duration(1000), 12'345);
    EXPECT_EQ(schedule.next_after(Timestamp(10'000)), Timestamp(10'345));
    EXPECT_EQ(schedule.next_after(Timestamp(10'345)), Timestamp(11'345));
    EXPECT_EQ(schedule.next_after(Timestamp(10'346)), Timestamp(11'345));
    EXPECT_EQ(schedule.next_after(Timestamp(-10)), Timestamp(345));
}

TEST(Schedule, MakesUpForTheNewestMissedRound) {
    const Schedule schedule(Duration(1000), 345);
    const auto after = [&schedule](std::int64_t due, std::int64_t now) {
        return schedule.round_after(Timestamp(due), Timestamp(now)).ms();
    };
    EXPECT_EQ(after(10'345, 10'400), 11'345);
    EXPECT_EQ(after(10'345, 11'344), 11'345);
    EXPECT_EQ(after(10'345, 11'346), 11'345);
    EXPECT_EQ(after(10'345, 14'000), 13'345);
    EXPECT_EQ(after(10'345, 9'000), 9'345);  // The clock was set back.
}

TEST(Schedule, BeginsSoonEvenWhenTheIntervalIsLong) {
    const Timestamp now(1'800'000'000'000);
    for (std::uint64_t hash = 0; hash < 100'000; hash += 997) {
        const Schedule daily(std::chrono::hours(24), hash * 7919);
        EXPECT_LE(daily.first_after(now) - now, Schedule::kFirstWithin);
    }
}

TEST(Schedule, TakesTheDueInstantWhenOnTime) {
    const Schedule schedule(Duration(15'000), 0);
    const Timestamp due(30'000);
    EXPECT_EQ(schedule.timestamp_of(due, due), due);
    EXPECT_EQ(schedule.timestamp_of(due, due + Duration(2)), due);
    EXPECT_EQ(schedule.timestamp_of(due, due + Duration(3)), due + Duration(3));
    EXPECT_EQ(schedule.timestamp_of(due, due - Duration(1)), due - Duration(1));
}

class SeriesBookTest : public ::testing::Test {
protected:
    SeriesBook::Series& see(const char* name, bool tracked = true) {
        bool added = false;
        SeriesBook::Series& series = book_.enter({{"__name__", name}}, added);
        EXPECT_TRUE(book_.mark(series, tracked));
        return series;
    }
    std::size_t commit() {
        std::vector<model::SeriesSample> markers;
        book_.commit(Timestamp(1), markers);
        return markers.size();
    }
    SeriesBook book_;
};

TEST_F(SeriesBookTest, ForgetsSeriesThatStayAway) {
    book_.begin_round();
    see("a");
    EXPECT_EQ(commit(), 0U);
    for (std::uint64_t round = 0; round <= SeriesBook::kRoundsKept; ++round) {
        EXPECT_EQ(book_.size(), 1U);
        book_.begin_round();
        EXPECT_EQ(commit(), round == 0 ? 1U : 0U);
    }
    EXPECT_EQ(book_.size(), 0U);
}

TEST_F(SeriesBookTest, MarksNothingThatStorageRefused) {
    book_.begin_round();
    SeriesBook::Series& series = see("a");
    see("b");
    EXPECT_EQ(commit(), 0U);
    SeriesBook::refuse(series);
    book_.begin_round();
    EXPECT_EQ(commit(), 1U);
}

TEST_F(SeriesBookTest, FailsRoundsWithoutLosingWhatLived) {
    book_.begin_round();
    see("a");
    see("b");
    EXPECT_EQ(commit(), 0U);
    book_.begin_round();
    see("a");
    std::vector<model::SeriesSample> markers;
    book_.fail(Timestamp(2), markers);
    EXPECT_EQ(markers.size(), 2U);
}

}  // namespace
}  // namespace kpid::ingest
