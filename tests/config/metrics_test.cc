// What samples mean, how long they hold, how long they are kept.

#include "config/metrics.h"

#include "config/loading.h"
#include "config/valid_for.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::lines;
using testing::load_text;

TEST(Metrics, SayWhatASampleMeans) {
    const LoadResult result = load_text(R"(metrics:
  orders_eur: {kind: total, per: day, unit: {kind: money, currency: EUR}, zero_when_absent: true}
  stars: {kind: event}
  depth: {kind: gauge, unit: count}
  sent_total: {kind: counter}
  weight: {unit: seconds}
)");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const MetricTable& metrics = result.config->metrics;
    const MetricConfig& orders = metrics.at("orders_eur");
    EXPECT_EQ(orders.kind, model::MetricKind::kTotal);
    EXPECT_EQ(orders.per, Period::kDay);
    ASSERT_TRUE(orders.unit);
    EXPECT_EQ(orders.unit->currency, "EUR");
    EXPECT_TRUE(orders.zero_when_absent);
    EXPECT_FALSE(metrics.at("weight").kind);
    EXPECT_EQ(metric_kinds(metrics),
              (model::MetricKinds{{"orders_eur", model::MetricKind::kTotal},
                                  {"stars", model::MetricKind::kEvent},
                                  {"depth", model::MetricKind::kGauge},
                                  {"sent_total", model::MetricKind::kCounter}}));
}

TEST(Metrics, RefuseWhatMakesNoSense) {
    struct Case {
        std::string entry;
        std::string want;
    };
    const std::vector<Case> cases{
        {"a: {kind: totals}",
         "1:21: error: \"kind\" must be one of gauge, counter, total, event, not \"totals\" (did "
         "you mean \"total\"?)"},
        {"a: {kind: total, per: days}",
         "1:33: error: \"per\" must be one of hour, day, week, month, quarter, half, year, not "
         "\"days\" (did you mean \"day\"?)"},
        {"a: {kind: event, per: day}",
         "1:28: error: metric \"a\": only a total has \"per\" (add kind: total)"},
        {"a: {per: day}", "1:15: error: metric \"a\": only a total has \"per\" (add kind: total)"},
        {"a: {kind: gauge, zero_when_absent: true}",
         "1:28: error: metric \"a\": only a total or an event has \"zero_when_absent\" (a level "
         "that is absent is not 0)"},
        {"a: {kindd: event}",
         "1:15: error: unknown key \"kindd\" in metric \"a\" (did you mean \"kind\"?)"},
        {"a: {unit: mony}", "1:21: error: unknown unit \"mony\" (did you mean \"money\"?)"},
        {"a: total", "1:14: error: metric \"a\" must be a map, not text"},
        {"a-b: {kind: event}", "1:11: error: \"a-b\" is not a metric name"},
        {"kpid_x: {kind: event}",
         "1:11: error: \"kpid_x\" is kpid's own: names that begin with kpid_, and ALERTS, are "
         "reserved"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.entry);
        EXPECT_THAT(lines(load_text("metrics: {" + one.entry + "}\n").findings),
                    ElementsAre("kpid.yaml:" + one.want));
    }
    EXPECT_THAT(lines(load_text("metrics: [a]\n").findings),
                ElementsAre("kpid.yaml:1:10: error: \"metrics\" must be a map from metric to what "
                            "it means, not a list"));
}

TEST(Metrics, KnowTheLongestPeriods) {
    const std::vector<std::pair<std::string, int>> cases{
        {"day", 1}, {"week", 7}, {"month", 31}, {"quarter", 92}, {"half", 184}, {"year", 366}};
    for (const auto& [name, days] : cases) {
        SCOPED_TRACE(name);
        const auto period = parse_period(name);
        ASSERT_TRUE(period);
        EXPECT_EQ(longest(*period), hours(24 * days));
    }
    EXPECT_EQ(longest(*parse_period("hour")), hours(1));
    EXPECT_FALSE(parse_period("7d"));
}

TEST(Storage, ReadsHowLongAndHowLate) {
    const LoadResult result = load_text(
        "storage: {engine: embedded, path: /x, retention: 90d, retention_kpis: 2y, retention_size: "
        "10GiB, out_of_order_window: 90d, future_tolerance: 1m, durability: fsync}\n");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const StorageConfig& storage = result.config->storage;
    EXPECT_EQ(storage.retention, hours(24 * 90));
    EXPECT_EQ(storage.retention_kpis, hours(24 * 730));
    EXPECT_EQ(storage.retention_size, std::uint64_t{10} << 30U);
    EXPECT_EQ(storage.out_of_order_window, hours(24 * 90));
    EXPECT_EQ(storage.future_tolerance, minutes(1));
}

TEST(Storage, HasDefaults) {
    const LoadResult result = load_text("storage: {retention: 30m}\n");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    EXPECT_EQ(result.config->storage.out_of_order_window, minutes(30)) << "at most the retention";
    const StorageConfig defaults;
    EXPECT_EQ(defaults.retention, hours(24 * 400));
    EXPECT_EQ(defaults.retention_kpis, hours(24 * 3650));
    EXPECT_EQ(defaults.retention_size, 0U);
    EXPECT_EQ(defaults.out_of_order_window, hours(1));
    EXPECT_EQ(defaults.future_tolerance, minutes(5));
}

TEST(Storage, RefusesWhatMakesNoSense) {
    struct Case {
        std::string keys;
        std::string want;
    };
    const std::vector<Case> cases{
        {"retention: 1s", "1:11: error: \"retention\" must be at least 1m"},
        {"retention_kpis: 0", "1:11: error: \"retention_kpis\" must be at least 1m"},
        {"retention: forever",
         "1:22: error: \"retention\": \"forever\" is not a duration such as 30s or 5m"},
        {"retention: 1d, out_of_order_window: 2d",
         "1:26: error: \"out_of_order_window\" must not be longer than the retention, 1d"},
        {"engine: {prometheus_api: {url: x}}", "1:11: error: \"engine\" is not supported yet"},
        {"engine: rocks", "1:19: error: \"engine\" must be one of embedded, not \"rocks\""},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.keys);
        EXPECT_THAT(lines(load_text("storage: {" + one.keys + "}\n").findings),
                    ElementsAre("kpid.yaml:" + one.want));
    }
}

TEST(Sources, SayHowLongTheirValuesHoldAndHowLateTheyMayCome) {
    const LoadResult result = load_text(R"(sources:
  node: {valid_for: 1m, out_of_order_window: 2h, prometheus: {targets: ["a:1"]}}
  here: {host: {}}
)");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const SourceConfig& here = result.config->sources.at(0);
    EXPECT_FALSE(here.valid_for);
    EXPECT_FALSE(here.out_of_order_window);
    const SourceConfig& node = result.config->sources.at(1);
    EXPECT_EQ(node.valid_for, minutes(1));
    EXPECT_EQ(node.out_of_order_window, hours(2));
    EXPECT_EQ(std::get<ScrapeConfig>(node.kind).out_of_order_window, hours(2));
    EXPECT_THAT(lines(load_text("storage: {retention: 1d}\n"
                                "sources: {a: {host: {}, valid_for: 0, out_of_order_window: 2d}}\n")
                          .findings),
                ElementsAre("kpid.yaml:2:25: error: \"valid_for\" must be above 0",
                            "kpid.yaml:2:39: error: \"out_of_order_window\" must not be longer "
                            "than the retention, 1d"));
}

class ValidFor : public ::testing::Test {
protected:
    void given(const std::string& text) {
        const LoadResult result = load_text(text);
        ASSERT_THAT(lines(result.findings), IsEmpty());
        rules_ = ValidForRules::make(*result.config);
    }
    /// Of a series with this name and job.
    [[nodiscard]] std::optional<Duration> of(std::string_view metric, std::string_view job) const {
        return rules_->of(model::Labels{{model::kMetricName, metric}, {"job", job}});
    }
    [[nodiscard]] std::optional<Duration> of_selector(std::vector<model::Matcher> matchers) const {
        return rules_->of_selector(matchers);
    }
    static model::Matcher named(std::string_view metric) {
        return model::Matcher::equal(model::kMetricName, metric);
    }

    std::shared_ptr<const ValidForRules> rules_;
};

TEST_F(ValidFor, IsTheDefaultWhereNothingIsRare) {
    given(
        "scrape_configs: [{job_name: x, scrape_interval: 2m30s}]\nsources: {a: {host: {}}}\n"
        "metrics: {b: {kind: event}, c: {kind: total}}\n");
    EXPECT_EQ(rules_, nullptr);
}

TEST_F(ValidFor, IsTheLongestOfDefaultIntervalAndPeriodUnlessItIsGiven) {
    given(R"(scrape_configs: [{job_name: rare, scrape_interval: 10m}]
sources:
  often: {host: {}}
  crm: {interval: 15m, http_json: {url: "http://x/", metrics: {visits: {value: /v}}}}
  shop: {valid_for: 1m, interval: 1h, http_json: {url: "http://x/", metrics: {visits: {value: /v}}}}
metrics: {visits: {kind: total, per: day}, pulse: {kind: total, per: hour}}
)");
    ASSERT_NE(rules_, nullptr);
    EXPECT_EQ(of("up", "rare"), minutes(20));
    EXPECT_EQ(of("up", "often"), std::nullopt);
    EXPECT_EQ(of("up", ""), std::nullopt);
    EXPECT_EQ(of("up", "crm"), minutes(30));
    EXPECT_EQ(of("visits", "crm"), hours(24));
    EXPECT_EQ(of("visits", ""), hours(24));
    EXPECT_EQ(of("pulse", "crm"), hours(1));
    EXPECT_EQ(of("visits", "shop"), minutes(1)) << "what is given wins";
    EXPECT_EQ(rules_->longest(), hours(24));
}

TEST_F(ValidFor, OfAQueryThatIsAskedOnceAPeriodIsTwoPeriods) {
    given(R"(sources:
  other: {interval: 1h, promql: {url: "http://x", queries: {visits: {expr: a, per: day}, b: {expr: b}}}}
)");
    ASSERT_NE(rules_, nullptr);
    EXPECT_EQ(of("visits", "other"), hours(48));
    EXPECT_EQ(of("b", "other"), hours(2));
}

TEST_F(ValidFor, OfASelectorIsAsMuchAsTheConfigurationKnows) {
    given(R"(sources:
  crm: {interval: 15m, http_json: {url: "http://x/", metrics: {customers: {value: /v}}}}
  other:
    interval: 1h
    promql: {url: "http://x", queries: {customers: {expr: up}, jobs: {expr: up}}}
)");
    EXPECT_EQ(of_selector({named("customers")}), hours(2));
    EXPECT_EQ(of_selector({named("customers"), model::Matcher::equal("job", "crm")}), minutes(30));
    EXPECT_EQ(of_selector({named("jobs")}), hours(2));
    EXPECT_EQ(of_selector({named("elsewhere")}), std::nullopt);
    EXPECT_EQ(of_selector({}), std::nullopt);
}

}  // namespace
}  // namespace kpid::config
