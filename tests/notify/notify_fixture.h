#pragma once
// Words for tests of delivery: alerts, receivers, a store that fails, a notifier that restarts.

#include "config/config.h"
#include "kpid/alerting/alert.h"
#include "kpid/alerting/route.h"
#include "kpid/model/state_store.h"
#include "notify/notifier.h"
#include "support/failing_store.h"
#include "support/fake_transport.h"
#include "support/manual_timers.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::notify::testing {

using namespace std::chrono_literals;
using kpid::testing::FailingStore;
using kpid::testing::FakeTransport;
using kpid::testing::http_answer;

inline const std::string kOps = "http://ops/hook";
inline const std::string kPager = "http://pager/hook";
inline constexpr std::string_view kStateKey = "evaluate/test";

/// An alert of the KPI `stock` for one shop.
inline alerting::Alert firing(std::string_view shop, std::string_view severity = "warning") {
    alerting::Alert alert;
    alert.identity = model::Labels{{"alertname", "stock"},
                                   {"kpi", "stock"},
                                   {"condition", "threshold"},
                                   {"severity", severity},
                                   {"shop", shop}};
    alert.labels = alert.identity.with("owner", "team");
    alert.starts_at = Timestamp(1'800'000'000'000);
    alert.kpi = alerting::KpiContext{.id = "stock", .title = "Stock"};
    return alert;
}

inline alerting::Alert ended(alerting::Alert alert, Timestamp at,
                             alerting::EndReason reason = alerting::EndReason::kResolved) {
    alert.ended = reason;
    alert.ends_at = at;
    return alert;
}

inline alerting::Alert superseded(alerting::Alert alert, Timestamp at, const alerting::Alert& by) {
    alert = ended(std::move(alert), at, alerting::EndReason::kSuperseded);
    alert.kpi->superseded_by = by.fingerprint();
    return alert;
}

inline config::ReceiverConfig receiver(const std::string& name,
                                       std::initializer_list<std::string> urls) {
    config::ReceiverConfig config{.name = name};
    for (const std::string& url : urls) {
        config.webhooks.push_back({.url = url});
    }
    return config;
}

/// Everything to `ops`, a group a shop, at once, and never again.
inline config::Config config_to_ops() {
    config::Config config;
    config.alerting.route.receiver = "ops";
    config.alerting.route.group_by = std::vector<std::string>{"shop"};
    config.alerting.route.group_wait = 0s;
    config.alerting.route.group_interval = 0s;
    config.alerting.route.repeat_interval = 0s;
    config.alerting.receivers = {receiver("ops", {kOps})};
    return config;
}

/// What a body says: "+de -fr", firing and ended shops in order, then "(+n)" for truncated ones.
inline std::string said(const std::string& body) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(body).get(root) != simdjson::SUCCESS) {
        return "not JSON";
    }
    std::string text;
    for (const simdjson::dom::element alert : root["alerts"].get_array()) {
        text += text.empty() ? "" : " ";
        text += std::string_view(alert["status"]) == "firing" ? '+' : '-';
        text += std::string(std::string_view(alert["labels"]["shop"]));
    }
    const std::uint64_t truncated = root["truncatedAlerts"];
    return truncated == 0 ? text : text + " (+" + std::to_string(truncated) + ")";
}

inline std::string header(const net::HttpClientRequest& request, std::string_view name) {
    return std::string(request.headers.get_or(name, "(none)"));
}

/// A notifier on simulated time, whose store outlives it.
class NotifyTest : public ::testing::Test {
protected:
    NotifyTest() : workers_(net::WorkerPoolOptions{.threads = 0}) { config_ = config_to_ops(); }
    ~NotifyTest() override { stop(); }

    void start() {
        registry_ = std::make_unique<prometheus::Registry>();
        notifier_ = std::make_unique<Notifier>(sim_.make_strand(),
                                               NotifierDependencies{.store = store_,
                                                                    .client = transport_,
                                                                    .timers = sim_.timers(),
                                                                    .workers = workers_,
                                                                    .registry = *registry_,
                                                                    .seed = 7});
        const Result<void> started = notifier_->start(built_config());
        ASSERT_TRUE(started) << started.error().message;
        sim_.run_until_idle();
    }
    /// Stops and joins, as the daemon does.
    void stop() {
        if (notifier_ == nullptr) {
            return;
        }
        notifier_->stop();
        const std::optional<bool> joined = sim_.run(notifier_->join(sim_.timers().after(10s)));
        EXPECT_TRUE(joined.has_value() && *joined);
        notifier_.reset();
    }
    void restart() {
        stop();
        store_.recover();
        start();
    }
    void reload() {
        notifier_->reconfigure(built_config());
        sim_.run_until_idle();
    }

    [[nodiscard]] Result<void> submit(std::vector<alerting::Alert> alerts,
                                      std::vector<model::StateWrite> also = {}) {
        const Result<void> submitted = notifier_->submit(now(), alerts, also);
        sim_.run_until_idle();
        return submitted;
    }
    void submit_well(std::vector<alerting::Alert> alerts) {
        const Result<void> submitted = submit(std::move(alerts));
        EXPECT_TRUE(submitted) << (submitted ? "" : submitted.error().message);
    }
    [[nodiscard]] Timestamp now() const { return clock().wall_now(); }
    [[nodiscard]] const kpid::testing::ManualClock& clock() const {
        return const_cast<NotifyTest*>(this)->sim_.clock();
    }

    /// What every request to the URL said, in order.
    [[nodiscard]] std::vector<std::string> told(const std::string& url = kOps) const {
        std::vector<std::string> texts;
        for (const net::HttpClientRequest& request : transport_.requests(url)) {
            texts.push_back(said(request.body));
        }
        return texts;
    }
    [[nodiscard]] std::vector<std::string> ids(const std::string& url = kOps) const {
        std::vector<std::string> texts;
        for (const net::HttpClientRequest& request : transport_.requests(url)) {
            texts.push_back(header(request, "webhook-id"));
        }
        return texts;
    }
    [[nodiscard]] std::vector<Message> messages(std::optional<MessageState> state = {},
                                                const std::string& receiver = {}) const {
        return notifier_->list({.receiver = receiver, .state = state});
    }
    /// The value of a metric; nothing when there is no such series.
    [[nodiscard]] std::optional<double> metric(
        std::string_view name,
        const std::vector<std::pair<std::string, std::string>>& labels = {}) const {
        for (const prometheus::MetricFamily& family : registry_->Collect()) {
            for (const prometheus::ClientMetric& series : family.metric) {
                if (family.name != name || series.label.size() != labels.size() ||
                    !std::all_of(series.label.begin(), series.label.end(), [&](const auto& label) {
                        return std::find(labels.begin(), labels.end(),
                                         std::pair(label.name, label.value)) != labels.end();
                    })) {
                    continue;
                }
                switch (family.type) {
                    case prometheus::MetricType::Gauge:
                        return series.gauge.value;
                    case prometheus::MetricType::Histogram:
                        return static_cast<double>(series.histogram.sample_count);
                    default:
                        return series.counter.value;
                }
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] std::shared_ptr<const config::Config> built_config() const {
        auto built = std::make_shared<config::Config>(config_);
        auto routes = alerting::RouteTree::build(config_.alerting.route);
        EXPECT_TRUE(routes) << (routes ? "" : routes.error().message);
        built->alerting.routes = *routes;
        return built;
    }

    config::Config config_;
    FakeTransport transport_;
    FailingStore store_;
    kpid::testing::SimRuntime sim_;
    net::WorkerPool workers_;
    std::unique_ptr<prometheus::Registry> registry_;
    std::unique_ptr<Notifier> notifier_;
};

}  // namespace kpid::notify::testing
