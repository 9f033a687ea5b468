// Prometheus rule files.

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines;
using testing::load_files;

LoadResult load_rules(std::string text) {
    return load_files({{"kpid.yaml", "global: {evaluation_interval: 20s}\nrule_files: [r.yaml]\n"},
                       {"r.yaml", std::move(text)}});
}

TEST(Rules, ReadGroups) {
    const LoadResult result = load_rules(R"(
groups:
  - name: shop
    interval: 5s
    limit: 10
    query_offset: 1s
    labels: {team: shop, severity: low}
    rules:
      - record: shop:errors:rate5m
        expr: sum by (shop) (rate(errors_total[5m]))
        labels: {unit: '${1}'}
      - alert: NoCheckouts
        expr: shop:errors:rate5m == 0
        for: 1m
        keep_firing_for: 2m
        labels: {severity: '{{ $labels.tier }}', empty: }
        annotations: {summary: 'No checkouts in {{ $labels.shop }} {{ $value }}'}
  - name: plain
    rules:
      - {record: one, expr: 1}
)");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    ASSERT_EQ(result.config->rule_groups.size(), 2U);
    const RuleGroup& shop = result.config->rule_groups[0];
    EXPECT_EQ(shop.file, "r.yaml");
    EXPECT_EQ(shop.interval, seconds(5));
    EXPECT_EQ(shop.limit, 10U);
    EXPECT_EQ(shop.query_offset, seconds(1));
    EXPECT_EQ(shop.rules[0].name(), "shop:errors:rate5m");
    EXPECT_EQ(shop.rules[0].labels.at("unit"), "${1}");
    EXPECT_EQ(shop.rules[0].labels.at("team"), "shop");
    const RuleConfig& alert = shop.rules[1];
    EXPECT_TRUE(alert.is_alert());
    EXPECT_EQ(alert.hold, minutes(1));
    EXPECT_EQ(alert.keep_firing_for, minutes(2));
    EXPECT_EQ(alert.labels.at("severity"), "{{ $labels.tier }}");
    EXPECT_EQ(alert.label_templates.count("team"), 1U);
    EXPECT_EQ(alert.annotation_templates.count("summary"), 1U);
    EXPECT_EQ(result.config->rule_groups[1].interval, seconds(20));
    EXPECT_EQ(result.config->rule_groups[1].rules[0].expr->type, promql::ValueType::kScalar);
}

TEST(Rules, MayBeEmpty) {
    for (const char* text : {"", "# nothing\n", "groups:\n", "groups: []\n"}) {
        SCOPED_TRACE(text);
        EXPECT_THAT(lines(load_rules(text).findings), IsEmpty());
    }
}

TEST(Rules, RefuseWhatPrometheusRefuses) {
    struct Case {
        std::string name;
        std::string rule;
        std::string want;
    };
    const std::vector<Case> cases{
        {"both names", "{record: a, alert: b, expr: up}",
         "only one of 'record' and 'alert' must be set"},
        {"no name", "{expr: up}", "r.yaml:4:5: error: one of 'record' or 'alert' must be set"},
        {"no expression", "{record: a}", "field 'expr' must be set in rule"},
        {"bad expression", "{record: a, expr: 'sum(up'}", "r.yaml:4:30: error: could not parse"},
        {"kpid's own name", "{record: kpid_x, expr: up}",
         "r.yaml:4:6: error: \"kpid_x\" is kpid's own"},
        {"the alerts' own name", "{record: ALERTS, expr: up}", "\"ALERTS\" is kpid's own"},
        {"for on record", "{record: a, expr: up, for: 1m}",
         "r.yaml:4:27: error: invalid field 'for' in recording rule"},
        {"annotations on record", "{record: a, expr: up, annotations: {a: b}}",
         "invalid field 'annotations' in recording rule"},
        {"metric name as label", "{alert: a, expr: up, labels: {__name__: x}}",
         "invalid label name: __name__"},
        {"bad template", "{alert: a, expr: up, annotations: {s: '{{ $x }}'}}",
         "r.yaml:4:43: error: annotation \"s\": "},
        {"bad label template", "{alert: a, expr: up, labels: {s: '{{ end }}'}}",
         "r.yaml:4:38: error: label \"s\": "},
        {"unknown key", "{alert: a, expr: up, fro: 1m}",
         "unknown key \"fro\" in rule (did you mean \"for\"?)"},
        {"bad duration", "{alert: a, expr: up, for: soon}", "\"for\": \"soon\" is not a duration"},
        {"text", "up", "rule must be a map, not text"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const LoadResult result =
            load_rules("groups:\n- name: g\n  rules:\n  - " + one.rule + "\n");
        EXPECT_FALSE(result.ok());
        EXPECT_THAT(lines(result.findings), Contains(HasSubstr(one.want)));
    }
}

TEST(Rules, RefuseGroupsWithoutNamesAndTwice) {
    EXPECT_THAT(lines(load_rules("groups: [{rules: []}]\n").findings),
                Contains(HasSubstr("Groupname must not be empty")));
    EXPECT_THAT(lines(load_rules("groups: [{name: a}, {name: a}]\n").findings),
                Contains(HasSubstr("r.yaml:1:28: error: groupname: \"a\" is repeated in the same "
                                   "file")));
    EXPECT_THAT(lines(load_rules("group: []\n").findings),
                Contains(HasSubstr("did you mean \"groups\"?")));
}

}  // namespace
}  // namespace kpid::config
