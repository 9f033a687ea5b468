// Routes, receivers, Alertmanagers.

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kMainFile;
using testing::lines;
using testing::load_files;
using testing::load_text;

TEST(AlertingSection, ReadsRoutesAndReceivers) {
    const LoadResult result = load_files(
        {{"kpid.yaml", R"(
owners: {sre: {title: SRE, receiver: hook}, lost: {title: Lost}}
alerting:
  global: {resolve_timeout: 1m}
  route:
    receiver: owner
    group_by: [alertname, shop]
    group_wait: 0s
    repeat_interval: 1h
    immediate: [escalation]
    routes:
      - {matchers: ['severity=~"page|critical"', 'a!=b'], receiver: hook, continue: true}
      - {match: {a: b}, match_re: {c: d.*}, group_by: ['...'], receiver: inbox}
  receivers:
    - name: hook
      webhook_configs:
        - url: "http://127.0.0.1:5001/sre"
          secret: whsec_Y2hhbmdlIHRoaXMgc2VjcmV0IGJlZm9yZSB5b3UgZ28gbGl2ZQ==
          send_resolved: false
          timeout: 2s
          give_up_after: 1d
          max_alerts: 5
          http_config: {proxy_url: "http://proxy:3128"}
        - {url_file: hook.url, secret_file: /run/secret}
  alertmanagers:
    - static_configs: [{targets: ["127.0.0.1:9093"]}]
      path_prefix: alerts/
      api_version: v2
      timeout: 5s
)"},
         {"hook.url", " http://127.0.0.1:5001/other\n"},
         {"/run/secret", "whsec_Y2hhbmdlIHRoaXMgc2VjcmV0IGJlZm9yZSB5b3UgZ28gbGl2ZQ==\n"}});
    ASSERT_THAT(lines(result.findings), IsEmpty());
    const AlertingConfig& alerting = result.config->alerting;
    EXPECT_EQ(alerting.resolve_timeout, seconds(60));
    EXPECT_FALSE(alerting.own_receivers_speak());
    const model::Labels page{{"severity", "page"}, {"owner", "sre"}};
    const auto routes = alerting.routes.match(page);
    ASSERT_EQ(routes.size(), 1U);
    EXPECT_EQ(routes[0]->receiver, "hook");
    EXPECT_EQ(routes[0]->group_wait, seconds(0));
    EXPECT_EQ(routes[0]->repeat_interval, hours(1));
    EXPECT_TRUE(routes[0]->immediate.escalation);
    EXPECT_FALSE(routes[0]->immediate.all_clear);
    const model::Labels owned{{"owner", "sre"}};
    const auto by_owner = alerting.routes.match(owned);
    EXPECT_EQ(alerting.routes.receiver_of(*by_owner.at(0), owned), "hook");
    const WebhookConfig& webhook = alerting.receivers[0].webhooks[0];
    EXPECT_FALSE(webhook.send_resolved);
    EXPECT_EQ(webhook.timeout, seconds(2));
    EXPECT_EQ(webhook.give_up_after, hours(24));
    EXPECT_EQ(webhook.max_alerts, 5U);
    EXPECT_EQ(webhook.http.proxy_url, "http://proxy:3128");
    EXPECT_EQ(alerting.receivers[0].webhooks[1].secret_file, "/run/secret");
    EXPECT_EQ(alerting.alertmanagers[0].path_prefix, "/alerts");
    EXPECT_EQ(alerting.alertmanagers[0].timeout, seconds(5));
}

TEST(AlertingSection, RefusesWhatCannotBeMeant) {
    struct Case {
        std::string name;
        std::string section;
        std::string want;
    };
    const std::vector<Case> cases{
        {"no URL", "receivers: [{name: a, webhook_configs: [{}]}]",
         "one of url or url_file must be configured"},
        {"two URLs", "receivers: [{name: a, webhook_configs: [{url: 'http://x', url_file: y}]}]",
         "at most one of url & url_file"},
        {"no URL at all", "receivers: [{name: a, webhook_configs: [{url: nowhere}]}]", "not a URL"},
        {"short secret",
         "receivers: [{name: a, webhook_configs: [{url: 'http://x', secret: c2hvcnQ=}]}]",
         "it must be 24 to 64"},
        {"receiver twice", "receivers: [{name: a}, {name: a}]",
         "receiver \"a\" is defined twice, first at kpid.yaml:1:31"},
        {"named owner", "receivers: [{name: owner}]", "cannot be named \"owner\""},
        {"unnamed", "receivers: [{}]", "receiver needs \"name\""},
        {"email", "receivers: [{name: a, email_configs: []}]",
         "\"email_configs\" is not supported yet"},
        {"root matchers", "route: {matchers: [a=b]}", "root route must not have any matchers"},
        {"root continue", "route: {continue: true}", "cannot have continue in root route"},
        {"wildcard beside labels", "route: {group_by: ['...', a]}", "wildcard group_by"},
        {"label twice", "route: {group_by: [a, a]}", "duplicated label \"a\" in group_by"},
        {"bad matcher", "route: {routes: [{matchers: ['a=~(']}]}",
         "kpid.yaml:1:41: error: bad matcher"},
        {"immediate", "route: {immediate: [always]}", "takes escalation and all_clear"},
        {"mute times", "route: {mute_time_intervals: [a]}",
         "\"mute_time_intervals\" is not supported yet"},
        {"silences", "silences: []", "\"silences\" is not supported yet"},
        {"api version", "alertmanagers: [{api_version: v1}]", "must be v2"},
        {"target with a scheme", "alertmanagers: [{static_configs: [{targets: ['http://x']}]}]",
         "is not a valid hostname"},
        {"both auths",
         "alertmanagers: [{basic_auth: {username: a}, authorization: {credentials: b}}]",
         "at most one of basic_auth, oauth2 & authorization"},
        {"unknown key", "recievers: []", "did you mean \"receivers\"?"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const LoadResult result =
            load_files({{kMainFile, "alerting: {" + one.section + "}\n"}, {"y", "http://y"}});
        EXPECT_FALSE(result.ok());
        EXPECT_THAT(lines(result.findings), ElementsAre(HasSubstr(one.want)));
    }
}

TEST(AlertingSection, NeverShowsASecret) {
    const LoadResult result = load_text(
        "alerting: {receivers: [{name: a, webhook_configs: [{url: 'http://x', secret: "
        "hunter2hunter2}]}]}\n");
    for (const std::string& line : lines(result.findings)) {
        EXPECT_EQ(line.find("hunter2"), std::string::npos);
    }
}

TEST(AlertingSection, BoundsTheTreeOfRoutes) {
    std::string routes = "{receiver: inbox}";
    for (int i = 0; i < 45; ++i) {
        routes = "{routes: [" + routes + "]}";
    }
    EXPECT_TRUE(load_text("alerting: {route: " + routes + "}\n").ok());
    for (int i = 0; i < 5000; ++i) {
        routes = "{routes: [" + routes + "]}";
    }
    EXPECT_THAT(lines(load_text("alerting: {route: " + routes + "}\n").findings),
                Contains(HasSubstr("nested deeper than 100 levels")));
}

TEST(AlertingSection, TellsFilesThatAreMissingOrOfNoUse) {
    const LoadResult result =
        load_files({{"kpid.yaml", R"(
alerting:
  receivers:
    - name: hook
      webhook_configs:
        - {url: "http://x", secret_file: none.secret}
        - {url: "http://x", secret_file: short.secret}
        - {url_file: none.url}
        - {url_file: bad.url}
        - {url_file: empty.url}
        - {url_file: good.url, secret_file: good.secret}
        - url: "http://x"
          http_config: {basic_auth: {username: u, password_file: none.password}}
        - url: "http://x"
          http_config: {authorization: {credentials_file: none.token}}
)"},
                    {"short.secret", "c2VjcmV0\n"},
                    {"bad.url", "hunter2\n"},
                    {"empty.url", " \n"},
                    {"good.url", "http://x/hook\n"},
                    {"good.secret", "Y2hhbmdlIHRoaXMgc2VjcmV0IGJlZm9yZSB5b3UgZ28gbGl2ZQ==\n"}});
    EXPECT_TRUE(result.ok());
    EXPECT_THAT(
        lines(result.findings),
        ElementsAre(
            "kpid.yaml:6:42: warning: \"secret_file\": cannot read none.secret: no such file",
            "kpid.yaml:7:42: warning: \"secret_file\": short.secret: the secret is base64 of 6 "
            "bytes, it must be 24 to 64",
            "kpid.yaml:8:22: warning: \"url_file\": cannot read none.url: no such file",
            "kpid.yaml:9:22: warning: \"url_file\": bad.url: not a URL",
            "kpid.yaml:10:22: warning: \"url_file\": empty.url is empty",
            "kpid.yaml:13:66: warning: \"password_file\": cannot read none.password: no such file",
            "kpid.yaml:15:59: warning: \"credentials_file\": cannot read none.token: no such "
            "file"));
}

TEST(AlertingSection, RefusesTlsWithoutItsFiles) {
    std::map<std::string, std::string> files{{"c.pem", "c"}, {"k.pem", "k"}, {"kpid.yaml", R"(
scrape_configs:
  - {job_name: a, tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem}}
)"}};
    EXPECT_THAT(lines(load_files(files).findings),
                ElementsAre("kpid.yaml:3:41: error: \"ca_file\": cannot read ca.pem: no such "
                            "file"));
    files["ca.pem"] = "ca";
    EXPECT_THAT(lines(load_files(files).findings), IsEmpty());
}

}  // namespace
}  // namespace kpid::config
