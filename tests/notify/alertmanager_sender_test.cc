// Alerts handed to Alertmanagers: at once, again and again, each peer for itself.

#include "notify/alert_queue.h"
#include "notify/notify_fixture.h"

#include <map>
#include <string>
#include <vector>

namespace kpid::notify::testing {
namespace {

const std::string kFirst = "http://first:9093/api/v2/alerts";
const std::string kOther = "http://other:9093/api/v2/alerts";

/// One alert of a posted body.
struct Posted {
    std::map<std::string, std::string> labels;
    std::string starts_at;
    std::string ends_at;
};

std::vector<Posted> posted(const net::HttpClientRequest& request) {
    std::vector<Posted> alerts;
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(request.body);
    for (const simdjson::dom::element element : root.get_array()) {
        Posted alert{.starts_at = std::string(std::string_view(element["startsAt"])),
                     .ends_at = std::string(std::string_view(element["endsAt"]))};
        for (const auto& [name, value] : element["labels"].get_object()) {
            alert.labels[std::string(name)] = std::string(std::string_view(value));
        }
        alerts.push_back(std::move(alert));
    }
    return alerts;
}

class AlertmanagerSender : public NotifyTest {
protected:
    AlertmanagerSender() { set_peers({"first:9093", "other:9093"}); }

    void set_peers(const std::vector<std::string>& targets) {
        config_.alerting.alertmanagers.assign(1, {});
        config_.alerting.alertmanagers[0].static_configs = {{.targets = targets}};
    }
    [[nodiscard]] static Timestamp time_of(const std::string& text) { return *parse_rfc3339(text); }
    [[nodiscard]] std::optional<double> count(const std::string& name, const std::string& url) {
        return metric("kpid_alertmanager_" + name + "_total", {{"alertmanager", url}});
    }
};

TEST_F(AlertmanagerSender, PostsAChangeToEveryPeerAtOnce) {
    start();
    submit_well({firing("de"), firing("fr")});
    for (const std::string& url : {kFirst, kOther}) {
        const auto requests = transport_.requests(url);
        ASSERT_EQ(requests.size(), 1U) << url;
        EXPECT_EQ(requests[0].method, "POST");
        EXPECT_EQ(header(requests[0], "content-type"), "application/json");
        const std::vector<Posted> alerts = posted(requests[0]);
        ASSERT_EQ(alerts.size(), 2U);
        EXPECT_EQ(alerts[0].labels.at("alertname"), "stock");
        EXPECT_EQ(alerts[0].labels.at("owner"), "team");
        EXPECT_EQ(time_of(alerts[0].starts_at), firing("de").starts_at);
        EXPECT_EQ(time_of(alerts[0].ends_at), now() + 4min);
        EXPECT_EQ(count("alerts_sent", url), 2.0);
    }
}

TEST_F(AlertmanagerSender, StretchesTheEndOverSlowEvaluation) {
    config_.global.evaluation_interval = 5min;
    start();
    submit_well({firing("de")});
    EXPECT_EQ(time_of(posted(transport_.requests(kFirst).at(0)).at(0).ends_at), now() + 20min);
}

TEST_F(AlertmanagerSender, PostsWhatFiresAgainEveryMinute) {
    start();
    submit_well({firing("de")});
    sim_.advance(59s);
    EXPECT_EQ(transport_.requests(kFirst).size(), 1U);
    sim_.advance(17s);
    ASSERT_EQ(transport_.requests(kFirst).size(), 2U);
    const Posted again = posted(transport_.requests(kFirst)[1]).at(0);
    EXPECT_EQ(time_of(again.starts_at), firing("de").starts_at);
    EXPECT_GT(time_of(again.ends_at), now() + 3min);
    sim_.advance(1h);
    EXPECT_GE(transport_.requests(kFirst).size(), 45U);
    EXPECT_LE(transport_.requests(kFirst).size(), 62U);
}

TEST_F(AlertmanagerSender, PostsWhatEndedForAWhileWithItsRealEnd) {
    start();
    submit_well({firing("de")});
    const Timestamp end = now();
    submit_well({ended(firing("de"), end)});
    sim_.advance(1h);
    const auto requests = transport_.requests(kFirst);
    ASSERT_GE(requests.size(), 12U);
    EXPECT_LE(requests.size(), 18U);
    for (std::size_t i = 1; i < requests.size(); ++i) {
        EXPECT_EQ(time_of(posted(requests[i]).at(0).ends_at), end);
    }
}

TEST_F(AlertmanagerSender, PutsBothHalvesOfASupersessionIntoOnePost) {
    start();
    std::vector<alerting::Alert> starts;
    std::vector<alerting::Alert> changes;
    for (int i = 0; i < 150; ++i) {
        const std::string shop = "shop" + std::to_string(i);
        starts.push_back(firing(shop));
        changes.push_back(superseded(firing(shop), now(), firing(shop, "critical")));
    }
    for (int i = 0; i < 150; ++i) {
        changes.push_back(firing("shop" + std::to_string(i), "critical"));
    }
    submit_well(starts);
    submit_well(changes);
    const auto requests = transport_.requests(kFirst);
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_EQ(posted(requests[1]).size(), 300U);
}

TEST_F(AlertmanagerSender, AddsExternalLabelsAndRelabels) {
    config_.global.external_labels = model::Labels{{"site", "a"}, {"owner", "nobody"}};
    config_.alerting.alertmanagers[0].alert_relabel_configs = {
        *model::RelabelConfig::make({.source_labels = {"site", "shop"},
                                     .regex = "a;hidden",
                                     .action = model::RelabelAction::kDrop})};
    start();
    submit_well({firing("de"), firing("hidden")});
    const std::vector<Posted> alerts = posted(transport_.requests(kFirst).at(0));
    ASSERT_EQ(alerts.size(), 1U);
    EXPECT_EQ(alerts[0].labels.at("shop"), "de");
    EXPECT_EQ(alerts[0].labels.at("site"), "a");
    EXPECT_EQ(alerts[0].labels.at("owner"), "team");
    EXPECT_EQ(count("alerts_sent", kFirst), 1.0);
    submit_well({ended(firing("hidden"), now())});
    EXPECT_EQ(transport_.requests(kFirst).size(), 1U);  // Nothing is left to post.
}

TEST_F(AlertmanagerSender, BuildsUrlsFromSchemePrefixAndRelabelling) {
    config::AlertmanagerConfig& config = config_.alerting.alertmanagers[0];
    config.scheme = "https";
    config.path_prefix = "/am";
    config.timeout = 7s;
    config.static_configs = {{.targets = {"kept:1", "gone:2"}}};
    config.relabel_configs = {*model::RelabelConfig::make({.source_labels = {"__address__"},
                                                           .regex = "kept.*",
                                                           .action = model::RelabelAction::kKeep})};
    start();
    submit_well({firing("de")});
    ASSERT_EQ(transport_.count(), 1U);
    EXPECT_EQ(transport_.requests()[0].url, "https://kept:1/am/api/v2/alerts");
    EXPECT_EQ(transport_.requests()[0].timeout, Duration(7s));
}

TEST_F(AlertmanagerSender, LetsAFailingOrSilentPeerHarmNoOther) {
    start();
    transport_.hold(kFirst);
    submit_well({firing("a")});
    submit_well({firing("b")});
    EXPECT_EQ(transport_.requests(kFirst).size(), 1U);
    EXPECT_EQ(transport_.requests(kOther).size(), 2U);
    EXPECT_TRUE(transport_.answer_held(kFirst, Error{Code::kDeadlineExceeded, "timeout"}));
    transport_.stop_holding(kFirst);
    sim_.run_until_idle();
    EXPECT_EQ(count("errors", kFirst), 1.0);
    EXPECT_EQ(count("errors", kOther), 0.0);
    EXPECT_EQ(transport_.requests(kFirst).size(), 2U);  // `b`; `a` comes with the next round.
    sim_.advance(80s);
    EXPECT_EQ(posted(transport_.requests(kFirst).back()).size(), 2U);
}

TEST_F(AlertmanagerSender, RetriesNothingButPostsAgainInTime) {
    start();
    transport_.answer_always(kFirst, http_answer(500));
    submit_well({firing("de")});
    sim_.advance(30s);
    EXPECT_EQ(transport_.requests(kFirst).size(), 1U);
    EXPECT_EQ(count("errors", kFirst), 1.0);
    EXPECT_EQ(count("alerts_sent", kFirst), 0.0);
    transport_.answer_always(kFirst, http_answer(200));
    sim_.advance(1min);
    EXPECT_EQ(count("alerts_sent", kFirst), 1.0);
}

TEST_F(AlertmanagerSender, BoundsTheQueueOfASilentPeerAndCountsWhatItDrops) {
    start();
    transport_.hold(kFirst);
    submit_well({firing("first")});
    std::vector<alerting::Alert> many;
    for (std::size_t i = 0; i < AlertQueue::kAlertsMax + 5; ++i) {
        many.push_back(firing("shop" + std::to_string(i)));
    }
    submit_well(many);
    EXPECT_EQ(count("alerts_dropped", kFirst), 5.0);
}

TEST_F(AlertmanagerSender, TellsANewPeerEverythingThatIsKnown) {
    set_peers({"first:9093"});
    start();
    submit_well({firing("a"), firing("b")});
    set_peers({"other:9093"});
    reload();
    ASSERT_EQ(transport_.requests(kOther).size(), 1U);
    EXPECT_EQ(posted(transport_.requests(kOther)[0]).size(), 2U);
    const std::size_t before = transport_.requests(kFirst).size();
    sim_.advance(5min);
    EXPECT_EQ(transport_.requests(kFirst).size(), before);
    EXPECT_GT(transport_.requests(kOther).size(), 3U);
}

TEST_F(AlertmanagerSender, StopsWhileAPostRuns) {
    start();
    transport_.hold(kFirst);
    submit_well({firing("a")});
    stop();
    EXPECT_EQ(transport_.waiting(kFirst), 0U);
}

TEST(AlertQueue, KeepsTheNewestStateOfEachAlertAtTheEnd) {
    AlertQueue queue;
    EXPECT_EQ(queue.push("a", firing("a"), 1), 0U);
    EXPECT_EQ(queue.push("b", firing("b"), 1), 0U);
    EXPECT_EQ(queue.push("a", ended(firing("a"), Timestamp(5)), 2), 0U);
    EXPECT_EQ(queue.size(), 2U);
    const std::vector<alerting::Alert> batch = queue.take();
    ASSERT_EQ(batch.size(), 2U);
    EXPECT_EQ(batch[0].labels.get("shop"), "b");
    EXPECT_FALSE(batch[1].firing());
    EXPECT_TRUE(queue.take().empty());
}

TEST(AlertQueue, EndsABatchBetweenSubmissionsUpToABound) {
    AlertQueue queue;
    std::uint64_t submission = 0;
    for (const std::size_t size : {std::size_t{60}, std::size_t{100}, std::size_t{1}}) {
        ++submission;
        for (std::size_t i = 0; i < size; ++i) {
            queue.push(std::to_string(submission) + "/" + std::to_string(i), firing("x"),
                       submission);
        }
    }
    EXPECT_EQ(queue.take().size(), 160U);
    EXPECT_EQ(queue.take().size(), 1U);
    for (std::size_t i = 0; i < AlertQueue::kBatchMax + 1; ++i) {
        queue.push(std::to_string(i), firing("x"), 9);
    }
    EXPECT_EQ(queue.take().size(), AlertQueue::kBatchMax);
    EXPECT_EQ(queue.take().size(), 1U);
}

}  // namespace
}  // namespace kpid::notify::testing
