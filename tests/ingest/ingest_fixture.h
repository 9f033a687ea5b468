#pragma once
// An Ingest whose time, peers and storage are the test's.

#include "config/config.h"
#include "ingest/ingest.h"
#include "kpid/model/matcher.h"
#include "kpid/model/sample.h"
#include "support/fake_transport.h"
#include "support/manual_timers.h"
#include "support/memory_storage.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// Hands on to a storage, or fails as it is told.
class FailingAppender final : public model::Appender {
public:
    explicit FailingAppender(model::Appender& inner) : inner_(inner) {}
    [[nodiscard]] Result<model::AppendResult> append(const model::AppendBatch& batch) override {
        if (failure) {
            return *failure;
        }
        last_window = batch.out_of_order_window;
        for (const model::SeriesHandle& handle : batch.handles) {
            known_handles += handle == model::SeriesHandle() ? 0U : 1U;
        }
        Result<model::AppendResult> result = inner_.append(batch);
        for (const model::SeriesSample& sample : batch.samples) {
            appended[std::string(sample.labels.metric_name())].push_back(
                {batch.kind, batch.out_of_order_window});
        }
        // The rejections that a real storage would give to these names.
        const std::vector<model::SeriesSample> samples = model::flatten(batch);
        for (std::size_t i = 0; result && i < samples.size(); ++i) {
            const auto reason = refused.find(std::string(samples[i].labels.metric_name()));
            const bool may = reason != refused.end() &&
                             reason->second == model::RejectReason::kReserved &&
                             batch.origin == model::AppendOrigin::kRecorded;
            if (reason != refused.end() && !may) {
                --result->accepted;
                result->rejected.push_back({i, reason->second, "refused"});
            }
        }
        return result;
    }
    void declare_kinds(const model::MetricKinds& kinds) override { inner_.declare_kinds(kinds); }
    std::optional<Error> failure;
    std::map<std::string, model::RejectReason> refused;
    std::optional<Duration> last_window;  ///< The newest batch's.
    std::size_t known_handles = 0;        ///< Of all batches, those that were not fresh.

    struct Appended {
        model::MetricKind kind = model::MetricKind::kGauge;
        std::optional<Duration> out_of_order_window;
        bool operator==(const Appended&) const = default;
    };
    std::map<std::string, std::vector<Appended>> appended;  ///< By metric, one for each sample.

private:
    model::Appender& inner_;
};

/// A registry's value: of the metric with these labels; -1 when there is none.
[[nodiscard]] inline double metric_value(const prometheus::Registry& registry,
                                         const std::string& name,
                                         const std::map<std::string, std::string>& labels = {}) {
    for (const prometheus::MetricFamily& family : registry.Collect()) {
        for (const prometheus::ClientMetric& metric : family.metric) {
            std::map<std::string, std::string> own;
            for (const auto& label : metric.label) {
                own[label.name] = label.value;
            }
            if (family.name == name && own == labels) {
                return family.type == prometheus::MetricType::Gauge ? metric.gauge.value
                                                                    : metric.counter.value;
            }
        }
    }
    return -1;
}

/// Keeps the lines that are logged.
class LinesSink final : public LogSink {
public:
    void write(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

/// Everything runs on the test's thread. Polls are every 5 s.
class IngestFixture : public ::testing::Test {
protected:
    static constexpr Duration kInterval = std::chrono::seconds(5);
    static constexpr const char* kUrl = "http://a:1/metrics";

    IngestFixture()
        : appender_(storage_),
          workers_({.threads = 0}),
          exemplar_metrics_(registry_),
          exemplars_(exemplar_metrics_) {
        ingest_ =
            std::make_unique<Ingest>(sim_.make_strand(), IngestDependencies{.appender = appender_,
                                                                            .reader = storage_,
                                                                            .state = storage_,
                                                                            .client = transport_,
                                                                            .timers = sim_.timers(),
                                                                            .workers = workers_,
                                                                            .io = sim_.io_context(),
                                                                            .registry = registry_,
                                                                            .exemplars = exemplars_,
                                                                            .log = log_});
    }
    ~IngestFixture() override {
        ingest_->stop();
        const std::optional<bool> joined = sim_.run(ingest_->join(MonoTime::max()));
        EXPECT_TRUE(joined && *joined);
    }

    /// A scrape job "job" with target a:1.
    static config::ScrapeConfig scrape_config() {
        config::ScrapeConfig scrape;
        scrape.job_name = "job";
        scrape.interval = kInterval;
        scrape.timeout = std::chrono::seconds(4);
        scrape.static_configs = {{.targets = {"a:1"}}};
        return scrape;
    }
    static config::SourceConfig source_config(config::SourceConfig::Kind kind) {
        config::SourceConfig source;
        source.id = "src";
        source.interval = kInterval;
        source.timeout = std::chrono::seconds(4);
        source.kind = std::move(kind);
        return source;
    }

    Result<void> apply() {
        Result<void> applied =
            ingest_->reconfigure(std::make_shared<const config::Config>(config_));
        sim_.run_until_idle();
        return applied;
    }
    void scrape_with(const config::ScrapeConfig& scrape) {
        config_.scrape_configs = {scrape};
        ASSERT_TRUE(apply().has_value());
    }
    /// The target answers this text from now on.
    void serve(const std::string& body, const std::string& type = "text/plain; version=0.0.4") {
        transport_.answer_always(kUrl, testing::http_answer(200, body, {{"Content-Type", type}}));
    }
    void poll_once() { sim_.advance(kInterval); }

    /// Every series of the metric, as Prometheus prints it, and its newest value ("stale" for a
    /// marker).
    [[nodiscard]] std::map<std::string, std::string> newest(std::string_view metric) const {
        std::map<std::string, std::string> values;
        for (const model::SeriesColumns& series : series_of(metric)) {
            const double value = series.values.back();
            values[series.labels.to_string()] =
                model::is_stale_marker(value) ? "stale" : fmt::format("{}", value);
        }
        return values;
    }
    [[nodiscard]] std::vector<model::SeriesColumns> series_of(std::string_view metric) const {
        const std::array<model::Matcher, 1> matchers{
            model::Matcher::equal(model::kMetricName, metric)};
        return *storage_.select(matchers, {Timestamp::min(), Timestamp::max()}, {});
    }
    [[nodiscard]] std::size_t sample_count(std::string_view metric) const {
        std::size_t count = 0;
        for (const model::SeriesColumns& series : series_of(metric)) {
            count += series.values.size();
        }
        return count;
    }
    [[nodiscard]] double counted(const std::string& name,
                                 const std::map<std::string, std::string>& labels = {}) const {
        return metric_value(registry_, name, labels);
    }

    using Values = std::map<std::string, std::string>;

    testing::SimRuntime sim_;
    testing::FakeTransport transport_;
    testing::MemoryStorage storage_;
    FailingAppender appender_;
    net::WorkerPool workers_;
    prometheus::Registry registry_;
    config::Config config_;
    std::shared_ptr<LinesSink> sink_ = std::make_shared<LinesSink>();
    Logger log_{sink_, sim_.clock(), LogLevel::kInfo, LogFormat::kLogfmt};
    Metrics exemplar_metrics_;
    ExemplarTable exemplars_;
    std::unique_ptr<Ingest> ingest_;
};

}  // namespace kpid::ingest
