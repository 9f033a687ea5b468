// Templates: the language, the functions, the bounds, the errors.
#include "kpid/alerting/template.h"

#include <gtest/gtest.h>

namespace kpid::alerting {
namespace {

TemplateEnvironment environment() {
    TemplateEnvironment made;
    made.now = Timestamp(1'353'755'652'000);
    made.external_url = "http://kpid.example:9731/kpid";
    made.query = [](std::string_view expression) -> Result<std::vector<TemplateSample>> {
        if (expression == "broken") {
            return invalid_argument("parse error");
        }
        return std::vector<TemplateSample>{{{{"shop", "de"}}, 2}, {{{"shop", "at"}}, 1}};
    };
    return made;
}

TemplateOutput render(std::string_view text, double value = 4.25) {
    auto parsed = Template::parse(text, rule_template_options("t"));
    if (!parsed) {
        return {"", parsed.error()};
    }
    return parsed->render(
        rule_template_data({{"shop", "de"}, {"job", "x"}}, {{"site", "berlin"}}, "http://u", value),
        environment());
}

struct Case {
    std::string text;
    std::string want;
};

void expect_all(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const TemplateOutput out = render(c.text);
        EXPECT_EQ(out.text, c.want) << (out.error ? out.error->message : "");
        EXPECT_FALSE(out.error);
    }
}

TEST(Template, ReadsRuleData) {
    expect_all({
        {"plain { text }", "plain { text }"},
        {"{{ $labels.shop }} has {{ $value }}", "de has 4.25"},
        {"{{ .Labels.shop }} {{ .Value }} {{ .ExternalLabels.site }}", "de 4.25 berlin"},
        {"{{ $externalLabels.site }} {{ $externalURL }} {{ .ExternalURL }}",
         "berlin http://u http://u"},
        {"[{{ $labels.absent }}]", "[]"},
        {"{{ $labels }}", "map[job:x shop:de]"},
        {"{{ index $labels \"shop\" }}", "de"},
    });
}

TEST(Template, HasControlStructures) {
    expect_all({
        {"{{ if gt $value 4.0 }}high{{ else }}low{{ end }}", "high"},
        {"{{ if lt $value 4 }}a{{ else if lt $value 5 }}b{{ else }}c{{ end }}", "b"},
        {"{{ with $labels.shop }}<{{ . }}>{{ end }}{{ with $labels.no }}x{{ else }}none{{ end }}",
         "<de>none"},
        {"{{ with $x := $labels.job }}{{ $x }}{{ end }}", "x"},
        {"{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "job=x;shop=de;"},
        {"{{ range query \"q\" }}{{ .Labels.shop }}{{ .Value }} {{ else }}none{{ end }}",
         "de2 at1 "},
        {"{{ range $i := 3 }}{{ $i }}{{ end }}", "012"},
        {"{{ range $i, $s := query \"q\" | sortByLabel \"shop\" }}{{ $i }}{{ $s.Labels.shop }}{{ "
         "end }}",
         "0at1de"},
        {"{{ range 9 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}{{ "
         ". }}{{ end }}",
         "013"},
        {"{{ $a := 1 }}{{ if true }}{{ $a = 2 }}{{ $b := 3 }}{{ $b }}{{ end }}{{ $a }}", "32"},
        {"{{ define \"x\" }}[{{ . }}]{{ end }}{{ template \"x\" $value }}", "[4.25]"},
        {"{{ block \"b\" $labels.shop }}({{ . }}){{ end }}", "(de)"},
        {"a  {{- /* note */ -}}  b {{- 1 -}} c", "ab1c"},
        {"{{ if and true (or false \"x\") (not 0) }}yes{{ end }}", "yes"},
    });
}

TEST(Template, HasGosFunctions) {
    expect_all({
        {"{{ printf \"%.2f|%5d|%-4s|%q|%x|%t|%v|%%|%05.1f\" $value 42 \"ab\" \"c\\\"\" \"hi\" true "
         "1.5 $value }}",
         "4.25|   42|ab  |\"c\\\"\"|6869|true|1.5|%|004.2"},
        {"{{ printf \"%d %s\" 1.5 2 }}", "%!d(float64=1.5) %!s(int=2)"},
        {"{{ printf \"%s\" }}{{ printf \"x\" 1 }}", "%!s(MISSING)x%!(EXTRA int=1)"},
        {"{{ printf \"%g %e %+d %X %c %U %*d\" 1000000.0 1234.5 7 255 65 8364 4 9 }}",
         "1e+06 1.234500e+03 +7 FF A U+20AC    9"},
        {"{{ print 1 2 \"a\" 3 }}|{{ println \"a\" 1 }}", "1 2a3|a 1\n"},
        {"{{ len \"äb\" }} {{ len $labels }} {{ slice \"abcd\" 1 3 }}", "3 2 bc"},
        {"{{ eq 1 1 }} {{ eq 3 1 2 3 }} {{ ne \"a\" \"b\" }} {{ le 2 2 }} {{ ge 1.5 2.5 }}",
         "true true true true false"},
        {"{{ html \"<a&b>\" }} {{ urlquery \"a b&c\" }}", "&lt;a&amp;b&gt; a+b%26c"},
        {"{{ 0x1F }} {{ 'a' }} {{ 1_000 }} {{ -3 }} {{ 1e3 }} {{ `raw\\` }}",
         "31 97 1000 -3 1000 raw\\"},
        {"{{ \"x\" | printf \"%s-%s\" \"y\" }}", "y-x"},
        {"{{ print nil }}", "<nil>"},
    });
}

TEST(Template, HasPrometheusFunctions) {
    expect_all({
        {"{{ humanize 1234.5 }} {{ humanize1024 2048 }} {{ humanizeDuration 90061.0 }}",
         "1.234k 2ki 1d 1h 1m 1s"},
        {"{{ humanizePercentage 0.1234 }} {{ 0 | humanizeTimestamp }}",
         "12.34% 1970-01-01 00:00:00 +0000 UTC"},
        {"{{ \"ärger im bau\" | title }} {{ toUpper \"ä\" }} {{ toLower \"ÄB\" }}",
         "Ärger Im Bau Ä äb"},
        {"{{ reReplaceAll \"(.)a\" \"${1}o$$\" \"banana\" }} {{ reReplaceAll \"x*\" \"-\" \"ab\" "
         "}}",
         "bo$no$no$ -a-b-"},
        {"{{ match \"^d\" $labels.shop }}", "true"},
        {"{{ query \"q\" | first | value }} {{ query \"q\" | first | label \"shop\" }}", "2 de"},
        {"{{ externalURL }} {{ pathPrefix }}", "http://kpid.example:9731/kpid /kpid"},
        {"{{ (now | toTime).Year }} {{ (90 | toDuration).Minutes }}", "2012 1.5"},
        {"{{ define \"cell\" }}<{{ .arg0 }}>{{ end }}{{ tmpl \"cell\" (args 7) }}", "<7>"},
        {"{{ $value | inUnit }}", "4.25"},
    });
}

TEST(Template, ErrorsStandWhereTheTextWouldHaveStood) {
    const TemplateOutput out = render("a\nb {{ query \"broken\" }}");
    ASSERT_TRUE(out.error);
    EXPECT_EQ(
        out.text,
        "<error expanding template: error executing template t: template: t:2:5: executing \"t\" "
        "at <query \"broken\">: error calling query: parse error>");
}

TEST(Template, RefusesAtParseWithALine) {
    for (const Case& c :
         std::vector<Case>{{"a\n{{ $nope }}", "t:2: undefined variable \"$nope\""},
                           {"{{ nope }}", "t:1: function \"nope\" not defined"},
                           {"{{ if true }}", "t:1: unexpected EOF"},
                           {"{{ end }}", "t:1: unexpected {{end}}"},
                           {"{{ \"a }}", "t:1: unterminated quoted string"},
                           {"{{ 1", "t:1: unclosed action"},
                           {"{{ (1 }}", "t:1: unclosed left paren"},
                           {"{{ 1 | 2 }}", "t:1: non executable command in pipeline stage 2"},
                           {"{{ break }}", "t:1: {{break}} outside {{range}}"},
                           {"{{/* x", "t:1: unclosed comment"},
                           {"{{ 08x }}", "t:1: bad number syntax: \"08x\""},
                           {"{{ . := 1 }}", "t:1: unexpected \":=\""}}) {
        SCOPED_TRACE(c.text);
        const auto parsed = Template::parse(c.text, rule_template_options("t"));
        ASSERT_FALSE(parsed);
        EXPECT_NE(parsed.error().message.find(c.want), std::string::npos) << parsed.error().message;
    }
}

TEST(Template, RefusesAtRendering) {
    for (const Case& c :
         std::vector<Case>{{"{{ .Nope }}", "can't evaluate field Nope"},
                           {"{{ len 3 }}", "error calling len: len of type int"},
                           {"{{ index $labels }}{{ index \"a\" 5 }}", "index out of range: 5"},
                           {"{{ lt \"a\" 1 }}", "incompatible types for comparison"},
                           {"{{ template \"gone\" }}", "template \"gone\" not defined"},
                           {"{{ len }}", "wrong number of args for len: want 1 got 0"},
                           {"{{ $value 1 }}", "can't give argument to non-function $value"},
                           {"{{ match \"(\" \"a\" }}", "error parsing regexp"},
                           {"{{ toUpper 1 }}", "expected string; got int"}}) {
        SCOPED_TRACE(c.text);
        const TemplateOutput out = render(c.text);
        ASSERT_TRUE(out.error);
        EXPECT_NE(out.error->message.find(c.want), std::string::npos) << out.error->message;
    }
}

TEST(Template, IsBounded) {
    for (const std::string_view text :
         {"{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}",
          "{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}",
          "{{ range 100000 }}{{ range 100 }}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{ end }}{{ end }}",
          "{{ $x := \"ab\" }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}",
          "{{ $x := args 1 }}{{ range 99 }}{{ $x = args $x $x }}{{ end }}{{ $x }}"}) {
        SCOPED_TRACE(text);
        EXPECT_TRUE(render(text).error);
    }
    std::string deep;
    for (int i = 0; i < 200; ++i) {
        deep += "{{ if true }}";
    }
    EXPECT_FALSE(Template::parse(deep));
    EXPECT_FALSE(Template::parse("{{ " + std::string(200, '(') + " }}"));
    EXPECT_FALSE(Template::parse(std::string(Template::kTextBytesMax + 1, 'a')));
}

TEST(Template, ReadsKpiData) {
    const auto parsed = Template::parse(
        "{{ $kpi.title }} is {{ $value | inUnit }}, wanted {{ $target }}, {{ $previous }} to {{ "
        "$status }} "
        "since {{ $since.Format \"15:04\" }} in {{ $labels.shop }} ({{ $threshold }})",
        kpi_template_options("summary"));
    ASSERT_TRUE(parsed);
    KpiTemplateFacts facts;
    facts.labels = {{"shop", "de"}};
    facts.value = 0.125;
    facts.kpi = {{"title", "Churn"}};
    facts.target = "at most 10 %";
    facts.threshold = "above 12 %";
    facts.status = "warning";
    facts.previous = "on_target";
    facts.since = Timestamp(1'782'907'200'000);
    TemplateEnvironment seen = environment();
    seen.unit = model::Unit{.kind = model::UnitKind::kRatio};
    const TemplateOutput out = parsed->render(kpi_template_data(facts), seen);
    EXPECT_EQ(out.text,
              "Churn is 12.5 %, wanted at most 10 %, on_target to warning since 12:00 in de (above "
              "12 %)");
    facts.value.reset();
    EXPECT_NE(parsed->render(kpi_template_data(facts), seen).text.find("is no value,"),
              std::string::npos);
}

}  // namespace
}  // namespace kpid::alerting
