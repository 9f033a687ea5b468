// Main files that are wrong in every way: each is said clearly, none does harm.

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines;
using testing::load_text;
using ::testing::SizeIs;

TEST(BadInput, IsSaidWithItsPlace) {
    struct Case {
        std::string name;
        std::string text;
        std::string want;
    };
    const std::vector<Case> cases{
        {"empty file", "", "kpid.yaml:1:1: error: the file is empty"},
        {"text", "hello\n", "kpid.yaml:1:1: error: the main file must be a map, not text"},
        {"list", "- a\n", "must be a map, not a list"},
        {"unknown key", "globl: {}\n",
         "unknown key \"globl\" in the main file (did you mean "
         "\"global\"?)"},
        {"unknown version", "version: 2\n", "kpid.yaml:1:10: error: version 2 is not known"},
        {"duplicate key", "web: {}\nweb: {}\n",
         "kpid.yaml:2:1: error: duplicate key \"web\", first given at 1:1"},
        {"wrong type", "global: {scrape_interval: [5s]}\n",
         "kpid.yaml:1:27: error: \"scrape_interval\" must be a duration, not a list"},
        {"timeout above interval", "global: {scrape_interval: 5s, scrape_timeout: 6s}\n",
         "kpid.yaml:1:31: error: global scrape timeout greater than scrape interval"},
        {"zero interval", "global: {evaluation_interval: 0s}\n",
         "\"evaluation_interval\" must be above 0"},
        {"bad URL", "global: {external_url: kpid.example}\n",
         "kpid.yaml:1:24: error: \"external_url\": not a URL"},
        {"bad address", "web: {listen: ['9731']}\n", "\"9731\" is not host:port"},
        {"no address", "web: {listen: []}\n", "\"listen\" is empty"},
        {"zero limit", "limits: {series: 0}\n", "\"series\" must be above 0"},
        {"percentile", "listeners: {statsd: {udp: ':1', percentiles: [101]}}\n",
         "a percentile must be above 0 and at most 100"},
        {"statsd without a socket", "listeners: {statsd: {}}\n", "statsd needs \"udp\""},
        {"statsd over TCP", "listeners: {statsd: {tcp: ':1'}}\n",
         "kpid.yaml:1:22: error: \"tcp\" is not supported yet"},
        {"dialect", "listeners: {statsd: {udp: ':1', dialect: dogstatd}}\n",
         "(did you mean \"dogstatsd\"?)"},
        {"bad id", "sources: {Node: {host: {}}}\n", "kpid.yaml:1:11: error: \"Node\" is not an id"},
        {"no kind", "sources: {a: {interval: 1s}}\n", "source \"a\" needs a kind"},
        {"two kinds", "sources: {a: {host: {}, demo: {}}}\n",
         "kpid.yaml:1:25: error: source \"a\" has two kinds: \"host\" and \"demo\""},
        {"unknown kind", "sources: {a: {hst: {}, host: {}}}\n",
         "unknown key \"hst\" in source \"a\" (did you mean \"host\"?)"},
        {"promql without interval",
         "sources: {a: {promql: {url: 'http://x', queries: {q: {expr: up}}}}}\n",
         "source \"a\" must name its interval"},
        {"promql per",
         "sources: {a: {interval: 1d, promql: {url: 'http://x', queries: {q: {expr: "
         "up, per: decade}}}}}\n",
         "\"per\" must be one of hour, day, week, month, quarter, half, year, not \"decade\""},
        {"promql backfill beyond the retention",
         "storage: {retention: 30d}\nsources: {a: {interval: 1d, promql: {url: 'http://x', "
         "backfill: "
         "31d, queries: {q: {expr: up}}}}}\n",
         "kpid.yaml:2:55: error: \"backfill\" must not be longer than the retention, 30d"},
        {"reserved metric",
         "sources: {a: {interval: 1d, promql: {url: 'http://x', queries: {kpid_q: {expr: up}}}}}\n",
         "is kpid's own"},
        {"no targets", "sources: {a: {prometheus: {}}}\n", "prometheus needs \"targets\""},
        {"target with a path", "sources: {a: {prometheus: {targets: ['x:1/metrics']}}}\n",
         "kpid.yaml:1:38: error: \"x:1/metrics\" is not a valid hostname"},
        {"target with a path beside empty relabelling",
         "scrape_configs: [{job_name: a, relabel_configs: [], static_configs: [{targets: "
         "['http://x']}]}]\n",
         "\"http://x\" is not a valid hostname"},
        {"Alertmanager with a path",
         "alerting: {alertmanagers: [{static_configs: [{targets: ['http://x']}]}]}\n",
         "\"http://x\" is not a valid hostname"},
        {"job name in a source", "sources: {a: {prometheus: {job_name: b, targets: ['x:1']}}}\n",
         "the job is the source's id"},
        {"same job twice", "scrape_configs: [{job_name: a}]\nsources: {a: {host: {}}}\n",
         "kpid.yaml:2:11: error: job \"a\" is defined twice, first at kpid.yaml:1:29"},
        {"timeout of a source", "sources: {a: {host: {}, interval: 1s, timeout: 2s}}\n",
         "the timeout of source \"a\" is greater than its interval"},
        {"bad pointer",
         "sources: {a: {http_json: {url: 'http://x', metrics: {m: {value: depth}}}}}\n",
         "kpid.yaml:1:26: error: "},
        {"unknown unit",
         "sources: {a: {http_json: {url: 'http://x', metrics: {m: {value: /v, unit: cent}}}}}\n",
         "unknown unit \"cent\" (did you mean \"cents\"?)"},
        {"bad regexp",
         "scrape_configs: [{job_name: a, relabel_configs: [{regex: '(', target_label: x}]}]\n",
         "kpid.yaml:1:58: error: "},
        {"bad action", "scrape_configs: [{job_name: a, relabel_configs: [{action: frobnicate}]}]\n",
         "frobnicate"},
        {"no job name", "scrape_configs: [{}]\n", "scrape config needs \"job_name\""},
        {"null job", "scrape_configs: [null]\n",
         "kpid.yaml:1:18: error: empty or null scrape config section"},
        {"Prometheus' own storage", "storage: {tsdb: {retention: {time: 15d}}}\n",
         "kpid.yaml:1:11: error: \"tsdb\" is not supported yet"},
        {"certificate without key",
         "scrape_configs: [{job_name: a, tls_config: {cert_file: kpid.yaml}}]\n",
         "cert_file and key_file go together"},
        {"alert section in a list", "alerting: []\n", "alerting must be a map, not a list"},
        {"text for a boolean", "alerting: {also_own: maybe}\n", "\"maybe\" is not true or false"},
        {"globs as text", "rule_files: rules.yaml\n",
         "kpid.yaml:1:13: error: \"rule_files\" must be a list, not text"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const LoadResult result = load_text(one.text);
        EXPECT_FALSE(result.ok());
        EXPECT_THAT(lines(result.findings), ElementsAre(HasSubstr(one.want)));
    }
}

TEST(BadInput, IsAllSaidAtOnce) {
    const LoadResult result = load_text("web: {lisen: 1}\nlimits: {series: -1}\nx: 1\n");
    EXPECT_THAT(lines(result.findings),
                ElementsAre(HasSubstr("kpid.yaml:1:7:"), HasSubstr("kpid.yaml:2:18:"),
                            HasSubstr("kpid.yaml:3:1:")));
}

TEST(BadInput, IsCountedBeyondALimit) {
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += "key" + std::to_string(i) + ": 1\n";
    }
    const LoadResult result = load_text(text);
    EXPECT_THAT(result.findings, SizeIs(ErrorList::kFindingsMax + 1));
    EXPECT_THAT(to_string(result.findings.back()), HasSubstr("4000 more findings are not shown"));
}

TEST(BadInput, OfAnAliasUsedTwiceIsSaidOnce) {
    const LoadResult result =
        load_text("sources:\n  a: {host: {}, labels: &l [x]}\n  b: {host: {}, labels: *l}\n");
    EXPECT_THAT(lines(result.findings),
                ElementsAre("kpid.yaml:2:25: error: \"labels\" must be a map, not a list"));
}

TEST(BadInput, KeepsWordsOfOldYamlAsText) {
    const LoadResult result = load_text(
        "owners: {no: {title: on}, ops: {title: 1:30}}\n"
        "kpis: {a: {title: off, owner: no, unit: count, better: higher, value: {expr: up}}}\n");
    ASSERT_THAT(lines(result.findings), SizeIs(0));
    EXPECT_EQ(result.config->owners.at("no").title, "on");
    EXPECT_EQ(result.config->owners.at("ops").title, "1:30");
    EXPECT_EQ(result.config->kpis[0].definition.title, "off");
}

}  // namespace
}  // namespace kpid::config
