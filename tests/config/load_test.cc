// Main file, several files, and the check of single ones.

#include "config/load.h"

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace kpid::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines;
using testing::load_files;
using testing::load_text;

TEST(Load, FillsDefaults) {
    const LoadResult result = load_text("version: 1\n");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const Config& config = *result.config;
    EXPECT_EQ(config.global.scrape_interval, seconds(15));
    EXPECT_EQ(config.global.scrape_timeout, seconds(10));
    EXPECT_EQ(config.global.evaluation_interval, seconds(30));
    EXPECT_EQ(config.storage.path, "/var/lib/kpid");
    EXPECT_EQ(config.storage.durability, Durability::kProcess);
    EXPECT_EQ(config.limits.body_bytes, 32U * 1024 * 1024);
    EXPECT_THAT(config.web.listen, ElementsAre("127.0.0.1:9731"));
    EXPECT_EQ(config.web.metrics_instances, 100U);
    EXPECT_FALSE(config.listeners.statsd);
    EXPECT_EQ(config.alerting.resolve_timeout, minutes(5));
    ASSERT_EQ(config.alerting.routes.all().size(), 1U);
    EXPECT_EQ(config.alerting.routes.all()[0]->receiver, "owner");
}

TEST(Load, NamesItselfByWhereItListens) {
    struct Case {
        std::string text;
        std::vector<std::string> listen;
        std::string want;
    };
    const std::vector<Case> cases{
        {"version: 1\n", {}, "http://127.0.0.1:9731"},
        {"web: {listen: [':9000', '127.0.0.1:1']}\n", {}, "http://box:9000"},
        {"web: {listen: ['0.0.0.0:9000']}\n", {}, "http://box:9000"},
        {"web: {listen: ['[::]:9000']}\n", {}, "http://box:9000"},
        {"web: {listen: ['[::1]:9000']}\n", {}, "http://[::1]:9000"},
        {"version: 1\n", {"10.0.0.1:80"}, "http://10.0.0.1:80"},
        {"version: 1\n", {"127.0.0.1:0"}, ""},
        {"global: {external_url: 'https://kpid.example/'}\n", {":9000"}, "https://kpid.example"}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.text);
        const MapFileReader files({{"kpid.yaml", one.text}});
        LoadOptions options = testing::test_options(files);
        options.host_name = "box";
        options.listen = one.listen;
        const LoadResult result = load_config("kpid.yaml", options);
        ASSERT_TRUE(result.ok());
        EXPECT_EQ(result.config->global.external_url, one.want);
    }
}

TEST(Load, ReadsTheDaemonsSections) {
    const LoadResult result = load_files({{"kpid.yaml", R"(
global:
  scrape_interval: 5s
  evaluation_interval: 2s
  external_labels: {site: berlin}
  external_url: "http://kpid.example:9731/"
storage: {path: data, durability: fsync}
limits: {series: 5k, body_bytes: 1MiB, query_timeout: 5s, instances_per_kpi: 7}
web: {listen: ["127.0.0.1:0", "[::1]:9731"], metrics_instances: 3}
listeners:
  statsd: {udp: ":8125", dialect: dogstatsd, flush_interval: 1s, percentiles: [99, 50, 50]}
)"}});
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const Config& config = *result.config;
    EXPECT_EQ(config.global.scrape_interval, seconds(5));
    EXPECT_EQ(config.global.scrape_timeout, seconds(5));
    EXPECT_EQ(config.global.external_labels.get("site"), "berlin");
    EXPECT_EQ(config.global.external_url, "http://kpid.example:9731");
    EXPECT_EQ(config.storage.path, "data");
    EXPECT_EQ(config.storage.durability, Durability::kFsync);
    EXPECT_EQ(config.limits.series, 5000U);
    EXPECT_EQ(config.limits.body_bytes, 1024U * 1024);
    EXPECT_EQ(config.web.listen.size(), 2U);
    ASSERT_TRUE(config.listeners.statsd);
    EXPECT_EQ(config.listeners.statsd->dialect, StatsdDialect::kDogStatsd);
    EXPECT_THAT(config.listeners.statsd->percentiles, ElementsAre(50, 99));
}

TEST(Load, TakesAnyTargetThatRelabellingWillChange) {
    const LoadResult result = load_text(R"(
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    params: {module: [http_2xx]}
    static_configs: [{targets: ["http://prometheus.io", "https://prometheus.io/docs"]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: "127.0.0.1:9115"}
sources:
  probe:
    prometheus:
      targets: ["http://example.org"]
      relabel_configs: [{target_label: __address__, replacement: "127.0.0.1:9115"}]
alerting:
  alertmanagers:
    - static_configs: [{targets: ["http://alerts"]}]
      relabel_configs: [{target_label: __address__, replacement: "127.0.0.1:9093"}]
)");
    EXPECT_THAT(lines(result.findings), IsEmpty());
}

TEST(Load, ReadsEveryKindOfSource) {
    const LoadResult result = load_files({{"kpid.yaml", R"(
sources:
  node:
    prometheus: {targets: ["a:1", "b:2"], metrics_path: /m, honor_labels: on}
    interval: 5s
    labels: {env: prod}
    http_config: {basic_auth: {username: u, password_file: pw}}
  machine: {host: {}}
  demo: {demo: }
  queue:
    http_json:
      url: "http://127.0.0.1:8080/queues"
      items: /queues
      metrics: {queue_eur: {value: /depth, unit: cents, labels: {queue: /name}}}
    interval: 2s
    timeout: 1s
  other:
    interval: 1m
    promql: {url: "http://prom:9090/", queries: {b: {expr: up}, a: {expr: 'unknown(x)'}}}
)"},
                                          {"pw", "p"}});
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const Config& config = *result.config;
    ASSERT_EQ(config.sources.size(), 5U);
    const auto source = [&config](std::string_view id) -> const SourceConfig& {
        return *std::find_if(config.sources.begin(), config.sources.end(),
                             [id](const SourceConfig& one) { return one.id == id; });
    };
    EXPECT_EQ(source("demo").kind_name(), "demo");
    EXPECT_EQ(source("machine").kind_name(), "host");
    const auto& scrape = std::get<ScrapeConfig>(source("node").kind);
    EXPECT_EQ(scrape.interval, seconds(5));
    EXPECT_EQ(scrape.timeout, seconds(5));
    EXPECT_TRUE(scrape.honor_labels);
    EXPECT_EQ(scrape.static_configs[0].labels.get("env"), "prod");
    EXPECT_EQ(scrape.http.basic_auth->password_file, "pw");
    const auto& json = std::get<HttpJsonSource>(source("queue").kind);
    EXPECT_EQ(json.select.items, "/queues");
    EXPECT_EQ(json.select.metrics[0].scale, 0.01);
    EXPECT_EQ(source("queue").timeout, seconds(1));
    const auto& promql = std::get<PromqlSource>(source("other").kind);
    EXPECT_EQ(promql.url, "http://prom:9090");
    EXPECT_EQ(promql.queries[0].metric, "a");
    EXPECT_FALSE(promql.queries[0].per);
    EXPECT_EQ(promql.backfill_periods, config.storage.retention);
    EXPECT_EQ(promql.backfill_samples, minutes(11'000));
}

TEST(Load, ReadsPeriodsAndBackfillOfQueries) {
    const LoadResult result = load_text(R"(
storage: {retention: 30d}
sources:
  whole: {interval: 1d, promql: {url: "http://x", queries: {a: {expr: up, per: quarter}}}}
  none: {interval: 1d, promql: {url: "http://x", backfill: 0s, queries: {b: {expr: up}}}}
)");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const auto& none = std::get<PromqlSource>(result.config->sources[0].kind);
    EXPECT_EQ(none.backfill_periods, seconds(0));
    EXPECT_EQ(none.backfill_samples, seconds(0));
    const auto& whole = std::get<PromqlSource>(result.config->sources[1].kind);
    EXPECT_EQ(whole.queries[0].per, Period::kQuarter);
    EXPECT_EQ(whole.backfill_periods, std::chrono::hours(24 * 30));
    EXPECT_EQ(whole.backfill_samples, std::chrono::hours(24 * 30));
}

TEST(Load, ReadsScrapeConfigsAsPrometheusDoes) {
    const LoadResult result = load_text(R"(
scrape_configs:
  - job_name: shop
    scrape_interval: 20s
    scheme: https
    params: {module: [a, b]}
    static_configs:
      - targets: ["a:1"]
        labels: {zone: x, empty: }
    relabel_configs:
      - {source_labels: [__address__], regex: '(.*):\d+', target_label: host, replacement: '${1}$$'}
    metric_relabel_configs:
      - {action: labeldrop, regex: tmp_.*}
    tls_config: {insecure_skip_verify: yes}
    authorization: {credentials: token}
    sample_limit: 10
    body_size_limit: 10MB
    fallback_scrape_protocol: PrometheusText0.0.4
    basic_auth:
)");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const ScrapeConfig& scrape = result.config->scrape_configs[0];
    EXPECT_EQ(scrape.interval, seconds(20));
    EXPECT_EQ(scrape.timeout, seconds(10));
    EXPECT_EQ(scrape.params.size(), 2U);
    EXPECT_EQ(scrape.relabel_configs[0].rule().replacement, "${1}$$");
    EXPECT_EQ(scrape.metric_relabel_configs[0].rule().action, model::RelabelAction::kLabelDrop);
    EXPECT_TRUE(scrape.http.tls.insecure_skip_verify);
    EXPECT_EQ(scrape.http.authorization->credentials, "token");
    EXPECT_EQ(scrape.body_size_limit, 10U * 1024 * 1024);
}

TEST(Load, ReadsTheEnvironmentInValues) {
    const LoadResult result = load_text(
        "alerting: {receivers: [{name: '${NAME:-hook}', webhook_configs: [{url: '${SINK}'}]}]}\n");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    EXPECT_EQ(result.config->find_receiver("hook")->webhooks[0].url, "http://127.0.0.1:5001/hook");
    const LoadResult unset = load_text("storage:\n  path: ${UNSET}/x\n");
    EXPECT_THAT(
        lines(unset.findings),
        ElementsAre(HasSubstr("kpid.yaml:2:9: error: the environment variable UNSET is not set")));
}

TEST(Load, JoinsFilesAndReportsTheErrorsOfAll) {
    const LoadResult result = load_files({
        {"kpid.yaml",
         "kpi_files: [kpis/*.yaml, kpis/b.yaml]\nrule_files: [rules.yaml]\nweb: {lisen: []}\n"},
        {"kpis/a.yaml", "owners: {ops: {title: Ops}}\nkpis: {x: {titel: X}}\n"},
        {"kpis/b.yaml", "owners: {ops: {title: Again}}\n"},
        {"rules.yaml", "groups: [{name: g, rules: [{record: x, expr: 'sum('}]}]\n"},
    });
    EXPECT_EQ(result.config, nullptr);
    EXPECT_THAT(
        lines(result.findings),
        ElementsAre("kpid.yaml:3:7: error: unknown key \"lisen\" in web (did you mean \"listen\"?)",
                    "kpis/a.yaml:2:11: error: KPI \"x\" needs \"title\"",
                    "kpis/a.yaml:2:11: error: KPI \"x\" needs \"owner\"",
                    "kpis/a.yaml:2:11: error: KPI \"x\" needs \"better\"",
                    "kpis/a.yaml:2:11: error: KPI \"x\" needs \"unit\"",
                    "kpis/a.yaml:2:11: error: KPI \"x\" needs \"value\"",
                    "kpis/a.yaml:2:12: error: unknown key \"titel\" in KPI \"x\" (did you mean "
                    "\"title\"?)",
                    "kpis/b.yaml:1:10: error: owner \"ops\" is defined twice, first at "
                    "kpis/a.yaml:1:10",
                    HasSubstr("rules.yaml:1:")));
}

TEST(Load, WarnsOfAPatternWithoutFilesAndGoesOn) {
    const LoadResult result = load_text("kpi_files: [kpis/*.yaml]\n");
    EXPECT_THAT(lines(result.findings),
                ElementsAre("kpid.yaml:1:13: warning: \"kpis/*.yaml\" names no file"));
    EXPECT_NE(result.config, nullptr);
}

TEST(Load, NamesThePlaceThatNamesAMissingFile) {
    EXPECT_THAT(lines(load_text("rule_files:\n  - rules.yaml\n").findings),
                ElementsAre("kpid.yaml:2:5: error: cannot read rules.yaml: no such file"));
    EXPECT_THAT(lines(load_files({}).findings),
                ElementsAre("kpid.yaml: error: cannot read kpid.yaml: no such file"));
}

TEST(Load, DoesNotGuessNamesWhileAFileIsMissing) {
    const LoadResult result = load_files(
        {{"kpid.yaml", "kpi_files: [owners.yaml]\ngoals: {g: {title: G, owner: ops}}\n"}});
    EXPECT_THAT(lines(result.findings), ElementsAre(HasSubstr("cannot read owners.yaml")));
}

TEST(Load, KnowsOwnersGoalsAndReceivers) {
    const LoadResult result = load_text(R"(owners:
  ops: {title: Ops, receiver: hok}
goals:
  up: {title: Up, owner: oops}
  a: {title: A, parent: b}
  b: {title: B, parent: a}
alerting:
  route: {receiver: nobody}
  receivers: [{name: hook}]
)");
    EXPECT_THAT(
        lines(result.findings),
        ElementsAre("kpid.yaml:2:31: error: unknown receiver \"hok\" (did you mean \"hook\"?)",
                    "kpid.yaml:4:26: error: unknown owner \"oops\" (did you mean \"ops\"?)",
                    "kpid.yaml:5:3: error: goal \"a\" is its own ancestor",
                    "kpid.yaml:6:3: error: goal \"b\" is its own ancestor",
                    "kpid.yaml:8:21: error: unknown receiver \"nobody\""));
}

TEST(Load, SaysWhatIsNotBuiltYet) {
    const LoadResult result = load_text(R"(remote_read: [[[]]]
objectives: {x: [[[]]]}
sources: {a: {sql: {x: 1}}, b: {host: {}}}
storage: {engine: {prometheus_api: {url: x}}}
scrape_configs: [{job_name: x, file_sd_configs: [{files: [x]}]}]
)");
    EXPECT_THAT(lines(result.findings),
                ElementsAre("kpid.yaml:1:1: error: \"remote_read\" is not supported yet",
                            "kpid.yaml:2:1: error: \"objectives\" is not supported yet",
                            "kpid.yaml:3:15: error: \"sql\" is not supported yet",
                            "kpid.yaml:4:11: error: \"engine\" is not supported yet",
                            "kpid.yaml:5:32: error: \"file_sd_configs\" is not supported yet"));
}

TEST(Load, ChecksSingleFilesByTheirKind) {
    const MapFileReader files({
        {"rules.yaml", "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n"},
        {"kpis.yaml", testing::kpi_text("    value: {expr: up}\n    goal: elsewhere\n")},
        {"bad.yaml", "kpis: {X: {}}\n"},
        {"main.yaml", "web: {listen: [x]}\n"},
    });
    const LoadOptions options = testing::test_options(files);
    EXPECT_THAT(lines(check_file("rules.yaml", options)), IsEmpty());
    EXPECT_THAT(lines(check_file("kpis.yaml", options)),
                ElementsAre(HasSubstr("kpis.yaml:9:11: info: goal \"elsewhere\"")));
    EXPECT_THAT(lines(check_file("bad.yaml", options)),
                ElementsAre(HasSubstr("bad.yaml:1:8: error: \"X\" is not an id")));
    EXPECT_THAT(lines(check_file("main.yaml", options)),
                ElementsAre("main.yaml:1:16: error: \"listen\": \"x\" is not host:port"));
}

TEST(Load, SaysWhatTheCheckOfOneFileLeavesOpen) {
    const std::string kpi =
        "kpis: {a: {title: A, owner: nope, goal: up, unit: count, better: higher, value: {expr: "
        "up}}}\n";
    const MapFileReader files(
        {{"alone.yaml", kpi}, {"with.yaml", "owners: {nop: {title: N, receiver: hook}}\n" + kpi}});
    const LoadOptions options = testing::test_options(files);
    EXPECT_THAT(
        lines(check_file("alone.yaml", options)),
        ElementsAre("alone.yaml:1:29: info: owner \"nope\" is not defined in this file and was not "
                    "checked (it may be defined elsewhere)",
                    HasSubstr("alone.yaml:1:41: info: goal \"up\" is not defined in this file")));
    EXPECT_THAT(
        lines(check_file("with.yaml", options)),
        ElementsAre(HasSubstr("with.yaml:1:36: info: receiver \"hook\""),
                    "with.yaml:2:29: warning: owner \"nope\" is not defined in this file and was "
                    "not checked (did you mean \"nop\"?)",
                    HasSubstr("with.yaml:2:41: info: goal \"up\"")));
}

TEST(Load, RefusesFoldersAndLargeFilesOnDisk) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("kpid_config_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    EXPECT_THAT(lines(load_config(folder).findings), ElementsAre(HasSubstr("is a folder")));
    {
        std::ofstream large(folder / "large.yaml");
        large << std::string(FileReader::kFileBytesMax + 1, '#');
    }
    EXPECT_THAT(lines(load_config(folder / "large.yaml").findings),
                ElementsAre(HasSubstr("is larger than 4 MiB")));
    {
        std::ofstream main(folder / "kpid.yaml");
        main << "rule_files: ['*.rules']\n";
        std::ofstream rules(folder / "a.rules");
        rules << "groups: [{name: g, rules: [{record: x, expr: 1}]}]\n";
    }
    const LoadResult result = load_config(folder / "kpid.yaml");
    EXPECT_THAT(lines(result.findings), IsEmpty());
    ASSERT_NE(result.config, nullptr);
    EXPECT_EQ(result.config->rule_groups.size(), 1U);
    std::filesystem::remove_all(folder);
}

TEST(Load, EnablesFeaturesOfTheLanguage) {
    const MapFileReader files(
        {{"kpid.yaml", testing::kpi_text("    value: {expr: 'limitk(1, up offset (5m * 2))'}\n")}});
    LoadOptions options = testing::test_options(files);
    EXPECT_FALSE(load_config("kpid.yaml", options).ok());
    options.features = {"promql-experimental-functions"};
    EXPECT_TRUE(load_config("kpid.yaml", options).ok());
}

}  // namespace
}  // namespace kpid::config
