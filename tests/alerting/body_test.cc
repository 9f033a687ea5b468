// The bodies of messages, byte by byte.
#include "kpid/alerting/alertmanager_body.h"
#include "kpid/alerting/webhook_body.h"
#include "support/conformance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::alerting {
namespace {

constexpr Timestamp kFired{1'782'907'200'000};  // 2026-07-01T12:00:00Z

Alert rule_alert(std::string_view instance) {
    Alert alert;
    alert.identity = model::Labels{{"alertname", "Down"}, {"instance", instance}, {"job", "a&b"}};
    alert.labels = alert.identity;
    alert.annotations = {{"summary", "it is down"}, {"where", std::string(instance)}};
    alert.starts_at = kFired;
    alert.generator_url = "http://kpid/graph?a&b";
    return alert;
}

GroupNotification notification(std::vector<Alert> alerts) {
    GroupNotification made;
    made.group_key = "{}:{alertname=\"Down\"}";
    made.receiver = "ops";
    made.group_labels = model::Labels{{"alertname", "Down"}};
    made.alerts = std::move(alerts);
    return made;
}

TEST(WebhookBody, IsAlertmanagersVersion4) {
    Alert over = rule_alert("two");
    over.ended = EndReason::kResolved;
    over.ends_at = kFired + Duration(61'500);
    const Alert one = rule_alert("one");
    EXPECT_EQ(
        webhook_body(notification({one, over}), {.external_url = "http://kpid"}),
        R"({"receiver":"ops","status":"firing","alerts":[{"status":"firing",)"
        R"("labels":{"alertname":"Down",)"
        R"("instance":"one","job":"a\u0026b"},"annotations":{"summary":"it is down",)"
        R"("where":"one"},)"
        R"("startsAt":"2026-07-01T12:00:00Z","endsAt":"0001-01-01T00:00:00Z",)"
        R"("generatorURL":"http://kpid/graph?a\u0026b","fingerprint":")" +
            one.fingerprint() +
            R"("},{"status":"resolved","labels":{"alertname":"Down","instance":"two",)"
            R"("job":"a\u0026b"},)"
            R"("annotations":{"summary":"it is down","where":"two"},)"
            R"("startsAt":"2026-07-01T12:00:00Z",)"
            R"("endsAt":"2026-07-01T12:01:01.5Z","generatorURL":"http://kpid/graph?a\u0026b",)"
            R"("fingerprint":")" +
            over.fingerprint() +
            R"("}],"groupLabels":{"alertname":"Down"},"commonLabels":{"alertname":"Down",)"
            R"("job":"a\u0026b"},)"
            R"("commonAnnotations":{"summary":"it is down"},"externalURL":"http://kpid",)"
            R"("version":"4",)"
            R"("groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0})");
}

TEST(WebhookBody, CarriesTheKpiOfAnAlert) {
    Alert alert = rule_alert("one");
    alert.ended = EndReason::kSuperseded;
    alert.ends_at = kFired;
    alert.kpi = KpiContext{.id = "csat",
                           .title = "Satisfaction",
                           .owner = "anna",
                           .value = 3.9,
                           .target_json = R"({"at_least":4.5})",
                           .unit = "score",
                           .status = "critical",
                           .since = kFired,
                           .superseded_by = "00ff"};
    const std::string body = webhook_body(notification({alert}), {.receiver = "mail"});
    EXPECT_NE(body.find(R"("kpi":{"id":"csat","title":"Satisfaction","owner":"anna","value":3.9,)"
                        R"("target":{"at_least":4.5},"unit":"score","status":"critical",)"
                        R"("since":"2026-07-01T12:00:00.000Z","goal":null,"runbook":null,)"
                        R"("ended":"superseded","superseded_by":"00ff"}})"),
              std::string::npos)
        << body;
    EXPECT_TRUE(body.starts_with(R"({"receiver":"mail","status":"resolved")"));
    alert.kpi->value.reset();
    alert.kpi->target_json.clear();
    const std::string empty = webhook_body(notification({alert}), {});
    EXPECT_NE(empty.find(R"("value":null,"target":null)"), std::string::npos);
}

TEST(WebhookBody, CountsWhatItLeavesOut) {
    GroupNotification many = notification({rule_alert("a"), rule_alert("b"), rule_alert("c")});
    many.alerts_refused = 4;
    const std::string body = webhook_body(many, {.max_alerts = 1});
    EXPECT_NE(body.find(R"("truncatedAlerts":6)"), std::string::npos);
    EXPECT_NE(body.find(R"("commonLabels":{"alertname":"Down","instance":"a")"), std::string::npos);
}

TEST(WebhookBody, AddsExternalLabelsThatAreAbsent) {
    const std::string body = webhook_body(
        notification({rule_alert("a")}),
        {.external_labels = model::Labels{{"site", "berlin"}, {"instance", "external"}}});
    EXPECT_NE(
        body.find(
            R"("labels":{"alertname":"Down","instance":"a","job":"a\u0026b","site":"berlin"})"),
        std::string::npos)
        << body;
}

TEST(AlertmanagerBody, WritesFiringAndEnded) {
    Alert over = rule_alert("two");
    over.ended = EndReason::kResolved;
    over.ends_at = kFired + Duration(1'500);
    const std::vector<Alert> alerts = {rule_alert("one"), over};
    const std::string body =
        alertmanager_body(alerts, {.firing_until = kFired + std::chrono::minutes(4)});
    EXPECT_EQ(
        body,
        R"([{"annotations":{"summary":"it is down","where":"one"},)"
        R"("endsAt":"2026-07-01T12:04:00.000Z",)"
        R"("startsAt":"2026-07-01T12:00:00.000Z","generatorURL":"http://kpid/graph?a\u0026b",)"
        R"("labels":{"alertname":"Down","instance":"one","job":"a\u0026b"}},)"
        R"({"annotations":{"summary":"it is down","where":"two"},)"
        R"("endsAt":"2026-07-01T12:00:01.500Z",)"
        R"("startsAt":"2026-07-01T12:00:00.000Z","generatorURL":"http://kpid/graph?a\u0026b",)"
        R"("labels":{"alertname":"Down","instance":"two","job":"a\u0026b"}}])");
    EXPECT_EQ(alertmanager_body({}, {}), "[]");
}

TEST(AlertmanagerBody, HasClassicNamesOnly) {
    Alert alert;
    alert.labels = {{"a b", "1"}, {"a_b", "2"}};
    alert.annotations = {{"what.is", "x"}, {"what_is", "y"}};
    const std::string body = alertmanager_body({&alert, 1}, {});
    EXPECT_NE(body.find(R"("labels":{"a_b":"2","a_b_":"1"})"), std::string::npos) << body;
    EXPECT_NE(body.find(R"("annotations":{"what_is":"y","what_is_":"x"})"), std::string::npos)
        << body;
}

// Reads a captured alert and writes it again: the bytes must be the same.
TEST(AlertmanagerBody, WritesWhatPrometheusWrites) {
    const auto folder = kpid::testing::conformance_dir("captured-clients");
    if (!folder) {
        return;
    }
    for (const char* name : {"0000.body", "0001.body", "0002.body", "0003.body", "0004.body"}) {
        SCOPED_TRACE(name);
        const std::string body =
            kpid::testing::read_file(*folder / "alertmanager-v2-alerts" / name);
        simdjson::dom::parser parser;
        const simdjson::dom::element root = parser.parse(body);
        std::vector<Alert> alerts;
        AlertmanagerContext context;
        for (const simdjson::dom::element object : root) {
            Alert alert;
            std::vector<model::Label> labels;
            for (const auto& [key, value] : simdjson::dom::object(object["labels"])) {
                labels.push_back({std::string(key), std::string(std::string_view(value))});
            }
            alert.labels = model::Labels::from(labels);
            for (const auto& [key, value] : simdjson::dom::object(object["annotations"])) {
                alert.annotations.emplace(key, std::string_view(value));
            }
            alert.starts_at = *parse_rfc3339(std::string_view(object["startsAt"]));
            context.firing_until = *parse_rfc3339(std::string_view(object["endsAt"]));
            alert.generator_url = std::string(std::string_view(object["generatorURL"]));
            alerts.push_back(alert);
        }
        EXPECT_EQ(alertmanager_body(alerts, context), body);
    }
}

}  // namespace
}  // namespace kpid::alerting
