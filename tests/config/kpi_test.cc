// KPIs: forms of conditions, units, overrides, checks.

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kpi_text;
using testing::lines;
using testing::load_text;

const std::string kValue = "    value: {expr: up}\n";

/// The one KPI of a text that must load.
KpiEntry load_kpi(const std::string& text) {
    const LoadResult result = load_text(text);
    EXPECT_THAT(lines(result.findings), IsEmpty());
    return result.config == nullptr ? KpiEntry() : result.config->kpis.at(0);
}

TEST(Kpi, ReadsEverythingThatIsBuilt) {
    const KpiEntry entry = load_kpi(R"(
owners: {ops: {title: Operations}}
goals: {smooth: {title: Smooth}}
kpis:
  errors:
    title: Failed checkouts
    description: Share of failures
    owner: ops
    goal: smooth
    category: operations
    role: guardrail
    better: lower
    unit: {kind: ratio, decimals: 1}
    value: {expr: 'sum by (shop) (errors)'}
    target: 1%
    warning: {above: 1%, for: 1m, recover: {at_most: 0.8%}, severity: page}
    critical: {above: {expr: 'scalar(limit)'}, keep_firing_for: 5s}
    overrides:
      - match: {shop: outlet}
        target: 3%
        warning: {above: 3%}
      - {match: ['shop=~"a|b"', 'x!="y"'], warning: none, for: 7s}
    for: 10s
    keep_firing_for: 2m
    evaluate: on_sample
    wait_for_all: 50ms
    no_data: {after: 5m, status: keep, alert: none, forget_instance_after: 1w}
    require: {expr: 'sum by (shop) (n)', at_least: 20}
    expect: [{shop: de}, {shop: at}]
    actions: [{when: critical, do: Call, url: "https://wiki.example/x"}]
    drivers: [{kpi: errors, share: 40%}]
    benchmark:
      industry: {value: 2%, growth: 7%, source: survey, as_of: 2026-01-15}
      competitor: {name: X, value: 3%, as_of: 2026-Q1}
    labels: {team: shop}
    annotations: {summary: '{{ $labels.shop }}: {{ $value | inUnit }} $$ ${HOME}'}
    limit: 12
)");
    const kpi::Definition& d = entry.definition;
    EXPECT_EQ(d.better, kpi::Better::kLower);
    EXPECT_EQ(d.target->op, kpi::Operator::kAtMost);
    const auto& warning = std::get<kpi::Level>(d.warning);
    EXPECT_EQ(warning.condition.op, kpi::Operator::kAbove);
    EXPECT_EQ(warning.hold, minutes(1));
    EXPECT_EQ(std::get<double>(warning.recover->a), 0.008);
    EXPECT_EQ(warning.severity, "page");
    const auto& critical = std::get<kpi::Level>(d.critical);
    EXPECT_EQ(std::get<kpi::ExprBound>(critical.condition.a).index, 0U);
    ASSERT_EQ(entry.bounds.size(), 1U);
    EXPECT_EQ(entry.bounds[0].text, d.bound_exprs[0]);
    ASSERT_EQ(d.overrides.size(), 2U);
    EXPECT_EQ(d.overrides[0].match[0].to_string(), "shop=\"outlet\"");
    EXPECT_EQ(d.overrides[1].match.size(), 2U);
    EXPECT_TRUE(d.overrides[1].warning->none);
    EXPECT_EQ(d.overrides[1].hold, seconds(7));
    EXPECT_EQ(d.hold, seconds(10));
    EXPECT_TRUE(d.evaluate.on_sample);
    EXPECT_EQ(d.no_data.status, kpi::NoDataStatus::kKeep);
    EXPECT_EQ(d.no_data.alert, "none");
    EXPECT_EQ(d.require->condition.op, kpi::Operator::kAtLeast);
    EXPECT_NE(entry.require, nullptr);
    EXPECT_EQ(d.expect.size(), 2U);
    EXPECT_EQ(d.drivers[0].share, 0.4);
    EXPECT_EQ(d.benchmarks.size(), 2U);
    EXPECT_EQ(d.limit, 12U);
    EXPECT_EQ(d.annotations.at("summary"), "{{ $labels.shop }}: {{ $value | inUnit }} $$ ${HOME}");
    EXPECT_EQ(entry.annotations.count("summary"), 1U);
    EXPECT_EQ(entry.line, 5);
}

TEST(Kpi, ReadsBareNumbersByWhatIsBetter) {
    struct Case {
        std::string better;
        kpi::Operator target;
        kpi::Operator warning;
    };
    for (const Case& one : {Case{"higher", kpi::Operator::kAtLeast, kpi::Operator::kBelow},
                            Case{"lower", kpi::Operator::kAtMost, kpi::Operator::kAbove}}) {
        SCOPED_TRACE(one.better);
        const KpiEntry entry =
            load_kpi(kpi_text(kValue + "    target: 50%\n    warning: 50%\n", one.better));
        EXPECT_EQ(entry.definition.target->op, one.target);
        EXPECT_EQ(std::get<kpi::Level>(entry.definition.warning).condition.op, one.warning);
    }
    const KpiEntry moving = load_kpi(kpi_text(kValue + "    target: {expr: limit}\n"));
    EXPECT_EQ(moving.definition.target->op, kpi::Operator::kAtLeast);
}

TEST(Kpi, TakesDefaultsOfItsFile) {
    const KpiEntry entry = load_kpi(R"(
owners: {ops: {title: Operations}, other: {title: Other}}
defaults: {kpi: {owner: ops, for: 1m, category: x, better: higher}}
kpis: {a: {title: A, owner: other, unit: count, value: {expr: up}}}
)");
    EXPECT_EQ(entry.definition.owner, "other");
    EXPECT_EQ(entry.definition.category, "x");
    EXPECT_EQ(entry.definition.hold, minutes(1));
}

TEST(Kpi, KnowsUnits) {
    struct Case {
        std::string unit;
        std::string want;
    };
    const std::vector<Case> cases{
        {"percent", "percent"},
        {"seconds", "seconds"},
        {"EUR", "EUR"},
        {"count", "count"},
        {"bytes", "bytes"},
        {"{kind: money, currency: USD}", "USD"},
        {"{kind: score, min: 1, max: 5, decimals: 2}", "score"},
        {"{kind: rate, per: month}", "per month"},
        {"{kind: index, min: -100, max: 100}", "index"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.unit);
        const KpiEntry entry = load_kpi(
            "owners: {o: {title: O}}\nkpis: {a: {title: A, owner: o, better: higher, "
            "value: {expr: up}, unit: " +
            one.unit + "}}\n");
        EXPECT_EQ(entry.definition.unit.short_name(), one.want);
    }
}

TEST(Kpi, RefusesWhatCannotBeMeant) {
    struct Case {
        std::string name;
        std::string more;  // From line 8 on, column 5.
        std::string want;
    };
    const std::vector<Case> cases{
        {"unknown key", kValue + "    warnign: 1\n",
         "kpid.yaml:9:5: error: unknown key \"warnign\" in KPI \"free\" (did you mean "
         "\"warning\"?)"},
        {"value as text", "    value: up\n", "8:12: error: \"value\" must be a map, not text"},
        {"no form", "    value: {}\n", "8:12: error: \"value\" needs a form"},
        {"later form", "    value: {metric: x, agg: sum, window: month}\n",
         "8:13: error: \"metric\" is not supported yet"},
        {"bad PromQL, plain", "    value: {expr: sum(up}\n", "8:25: error: could not parse"},
        {"bad PromQL, block",
         "    value:\n      expr: |\n        sum(\n          up up\n        )\n",
         "11:14: error: could not parse"},
        {"text as value", "    value: {expr: '\"x\"'}\n", "must be an instant vector or a scalar"},
        {"range as value", "    value: {expr: 'up[5m]'}\n", "it is a range vector"},
        {"bad regexp", "    value: {expr: 'up{a=~\"(\"}'}\n",
         "8:23: error: could not parse expression: "},
        {"two operators", kValue + "    target: {above: 1, below: 2}\n",
         "9:24: error: \"target\" has two operators"},
        {"no operator", kValue + "    target: {}\n", "9:13: error: \"target\" needs an operator"},
        {"level without operator", kValue + "    warning: {for: 5m}\n",
         "9:14: error: \"warning\" needs an operator"},
        {"no number", kValue + "    target: many\n", "9:13: error: \"target\": \"many\" is not"},
        {"between of one", kValue + "    target: {between: [1]}\n", "takes two bounds: [a, b]"},
        {"dated target", kValue + "    target: [{at_least: 1}]\n",
         "9:13: error: \"target with dates\" is not supported yet"},
        {"bad duration", kValue + "    for: 5 minutes\n", "9:10: error: \"for\": \"5 minutes\""},
        {"evaluate", kValue + "    evaluate: always\n", "9:15: error: \"evaluate\" must be"},
        {"window_end", kValue + "    evaluate: window_end\n",
         "9:15: error: \"evaluate: window_end\" is not supported yet"},
        {"own metrics on sample", "    value: {expr: kpid_kpi_value}\n    evaluate: on_sample\n",
         "9:5: error: KPI \"free\" reads kpid_* and may not be on_sample"},
        {"contradiction", kValue + "    target: {at_least: 10%}\n    warning: {below: 20%}\n",
         "10:5: error: KPI \"free\": "},
        {"unknown driver", kValue + "    drivers: [{kpi: fre}]\n",
         "9:21: error: unknown KPI \"fre\" (did you mean \"free\"?)"},
        {"empty match", kValue + "    overrides: [{match: {}, target: 1%}]\n",
         "9:25: error: \"match\" is empty"},
        {"bad matcher", kValue + "    overrides: [{match: ['a~b'], target: 1%}]\n",
         "9:26: error: bad matcher"},
        {"override of nothing", kValue + "    overrides: [{match: {a: b}, critical: {for: 1m}}]\n",
         "an override of \"critical\" needs an operator"},
        {"reserved label", kValue + "    labels: {severity: page}\n",
         "9:14: error: the label \"severity\" cannot be set here"},
        {"bad template", kValue + "    annotations: {summary: '{{ $nothing }}'}\n",
         "9:28: error: annotation \"summary\": "},
        {"role", kValue + "    role: laging\n", "(did you mean \"lagging\"?)"},
        {"limit", kValue + "    limit: 0\n", "9:5: error: \"limit\" must be above 0"},
        {"null", kValue + "    target:\n", "9:5: error: \"target\" has no value"},
        {"no_data", kValue + "    no_data: {status: gone}\n",
         "9:23: error: \"status\" must be one"},
        {"later key", kValue + "    attain: {at_least: 1%}\n",
         "9:5: error: \"attain\" is not supported yet"},
        {"list as text", kValue + "    goal: [a]\n",
         "9:11: error: \"goal\" must be text, not a list"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const LoadResult result = load_text(kpi_text(one.more));
        EXPECT_FALSE(result.ok());
        EXPECT_THAT(lines(result.findings), ElementsAre(HasSubstr(one.want)));
    }
}

TEST(Kpi, RefusesUnitsThatLackSomething) {
    struct Case {
        std::string unit;
        std::string want;
    };
    const std::vector<Case> cases{
        {"score", "needs more than its name"},
        {"percnt", "did you mean \"percent\"?"},
        {"{kind: score, min: 1}", "needs \"min\" and \"max\""},
        {"{kind: score, min: 5, max: 1}", "\"max\" must be above \"min\""},
        {"{kind: money}", "three capitals"},
        {"{kind: money, currency: euro}", "three capitals"},
        {"{kind: rate}", "needs \"per\""},
        {"{kind: count, currency: EUR}", "has no \"currency\""},
        {"{kind: percent}", "must be one of"},
        {"{min: 1}", "unit needs \"kind\""},
        {"{kind: count, decimals: 50}", "must be at most 9"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.unit);
        const LoadResult result = load_text(
            "owners: {o: {title: O}}\nkpis: {a: {title: A, owner: o, better: higher, "
            "value: {expr: up}, unit: " +
            one.unit + "}}\n");
        EXPECT_THAT(lines(result.findings), ElementsAre(HasSubstr(one.want)));
    }
}

TEST(Kpi, ForbidsBareNumbersInABand) {
    const LoadResult result = load_text(kpi_text(kValue + "    target: 1%\n", "band"));
    EXPECT_THAT(lines(result.findings),
                ElementsAre(HasSubstr("a bare number says nothing with better: band")));
    EXPECT_TRUE(load_text(kpi_text(kValue + "    target: {between: [30%, 50%]}\n", "band")).ok());
}

}  // namespace
}  // namespace kpid::config
