#pragma once
// A whole evaluation on memory and a manual clock: configuration in, samples in, alerts out.

#include "config/load.h"
#include "evaluate/evaluator.h"
#include "support/collecting_sink.h"
#include "support/manual_timers.h"
#include "support/memory_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kpid::evaluate::testing {

// NOLINTNEXTLINE(google-build-using-namespace): the literals of durations.
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using TextLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// The main file's beginning: two owners, a goal, an interval of 30 s.
inline const std::string kHead =
    "global: {evaluation_interval: 30s, external_url: http://kpid.example}\n"
    "owners: {ops: {title: Operations}, shop: {title: The shop}}\n"
    "goals: {delight: {title: Customers who stay, owner: ops, type: strategic}}\n";

/// One entry of `kpis`, where higher is better and the value is the metric named as the KPI; `more`
/// is the rest of its keys in flow style.
inline std::string kpi(const std::string& id, const std::string& more,
                       const std::string& expr = "") {
    return "  " + id + ": {title: The " + id + ", owner: ops, unit: count, better: higher, " +
           "value: {expr: '" + (expr.empty() ? id : expr) + "'}, " + more + "}\n";
}
inline std::string kpis(const std::string& entries) {
    return kHead + "kpis:\n" + entries;
}

class EvaluateTest : public ::testing::Test {
protected:
    EvaluateTest() : sink_(storage_) {}
    ~EvaluateTest() override {
        stop();
        EXPECT_THAT(sink_.breaches(), IsEmpty());
    }

    /// Starts with this configuration, or reloads when it runs.
    void given(const std::string& main_file, std::map<std::string, std::string> others = {}) {
        others["kpid.yaml"] = main_file;
        const config::MapFileReader files(std::move(others));
        config::LoadResult loaded = config::load_config("kpid.yaml", {.files = &files});
        for (const config::Finding& finding : loaded.findings) {
            EXPECT_NE(finding.severity, config::Severity::kError) << to_string(finding);
        }
        ASSERT_TRUE(loaded.ok());
        config_ = loaded.config;
        if (evaluator_ == nullptr) {
            start();
        } else {
            evaluator_->reconfigure(config_);
        }
        sim_.run_until_idle();
    }
    /// Rule files are read from `rules.yml`.
    void given_rules(const std::string& rules) {
        given(kHead + "rule_files: [rules.yml]\n", {{"rules.yml", rules}});
    }
    void stop() {
        if (evaluator_ == nullptr) {
            return;
        }
        storage_.set_observer(nullptr);
        evaluator_->stop();
        const auto joined = sim_.run(evaluator_->join(MonoTime::max()));
        EXPECT_EQ(joined, true);
        evaluator_.reset();
    }
    /// What is stored stays; with another configuration when one is given.
    void restart() {
        stop();
        start();
        sim_.run_until_idle();
    }
    void stop_and_give(const std::string& main_file,
                       const std::map<std::string, std::string>& others = {}) {
        stop();
        given(main_file, others);
    }

    void advance(Duration span) { sim_.advance(span); }
    [[nodiscard]] Timestamp now() { return sim_.clock().wall_now(); }

    struct Pushed {
        std::string metric;
        TextLabels labels;
        double value = 0;
        Duration ahead{0};
    };
    /// One request.
    void push_all(std::initializer_list<Pushed> samples,
                  model::AppendOrigin origin = model::AppendOrigin::kExternal) {
        std::vector<model::SeriesSample> batch;
        for (const Pushed& sample : samples) {
            batch.push_back({model::Labels(sample.labels).with(model::kMetricName, sample.metric),
                             now() + sample.ahead, sample.value});
        }
        const Result<model::AppendResult> stored =
            storage_.append({.samples = batch, .origin = origin, .now = now()});
        ASSERT_TRUE(stored);
        sim_.run_until_idle();
    }
    void push(const std::string& metric, double value) { push_all({{metric, {}, value}}); }
    void push(const std::string& metric, TextLabels labels, double value) {
        push_all({{metric, labels, value}});
    }
    /// Pushes, and lets every KPI be judged by interval.
    void settle(const std::string& metric, TextLabels labels, double value) {
        push(metric, labels, value);
        advance(30s);
    }
    void settle(const std::string& metric, double value) { settle(metric, {}, value); }

    [[nodiscard]] std::string status(const std::string& id) const {
        const std::optional<KpiView> view = evaluator_->kpi(id);
        return view ? std::string(kpi::to_string(view->report.status)) : "not defined";
    }
    [[nodiscard]] std::optional<kpi::InstanceReport> instance(const std::string& id,
                                                              TextLabels labels) const {
        const std::optional<KpiView> view = evaluator_->kpi(id);
        if (view) {
            for (const kpi::InstanceReport& report : view->report.instances) {
                if (report.labels == model::Labels(labels)) {
                    return report;
                }
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] std::string status(const std::string& id, TextLabels labels) const {
        const auto report = instance(id, labels);
        return report ? std::string(kpi::to_string(report->status)) : "no such instance";
    }
    [[nodiscard]] std::vector<std::string> told() { return sink_.take_news(); }

    /// The value of an instant query now; nothing without exactly one series.
    [[nodiscard]] std::optional<double> stored(const std::string& metric, TextLabels labels) {
        const auto range = storage_.select(
            std::vector<model::Matcher>{model::Matcher::equal(model::kMetricName, metric)},
            {now() - 5min + Duration(1), now()}, {});
        std::optional<double> value;
        for (const model::SeriesColumns& series : *range) {
            if (series.labels == model::Labels(labels).with(model::kMetricName, metric) &&
                !model::is_stale_marker(series.values.back())) {
                value = series.values.back();
            }
        }
        return value;
    }
    [[nodiscard]] double metric(const std::string& name, const std::string& kind = "") {
        for (const auto& family : registry_->Collect()) {
            for (const auto& sample : family.metric) {
                const bool fits =
                    kind.empty() || (!sample.label.empty() && sample.label.front().value == kind);
                if (family.name == name && fits) {
                    return sample.counter.value;
                }
            }
        }
        return -1;
    }
    [[nodiscard]] double kpi_evaluations() { return metric("kpid_evaluations_total", "kpi"); }

    ::kpid::testing::SimRuntime sim_;
    ::kpid::testing::MemoryStorage storage_;
    ::kpid::testing::CollectingSink sink_;
    InlineExecutor executor_;
    std::set<std::string> polled_;    // jobs
    std::set<std::string> answered_;  // jobs
    std::shared_ptr<const config::Config> config_;
    std::unique_ptr<prometheus::Registry> registry_;
    std::unique_ptr<Evaluator> evaluator_;

private:
    void start() {
        registry_ = std::make_unique<prometheus::Registry>();
        SourceHealth sources{
            .is_polled =
                [this](std::string_view job) { return polled_.contains(std::string(job)); },
            .answered_since_start =
                [this](std::string_view job) { return answered_.contains(std::string(job)); },
            .all_answered_since_start =
                [this] {
                    return std::includes(answered_.begin(), answered_.end(), polled_.begin(),
                                         polled_.end());
                }};
        evaluator_ = std::make_unique<Evaluator>(
            sim_.make_strand(), EvaluatorDependencies{.reader = storage_,
                                                      .appender = storage_,
                                                      .state = storage_,
                                                      .sink = sink_,
                                                      .timers = sim_.timers(),
                                                      .executor = executor_,
                                                      .registry = *registry_,
                                                      .sources = std::move(sources),
                                                      .log = Logger()});
        evaluator_->start(config_);
        storage_.set_observer(&evaluator_->observer());
    }
};

}  // namespace kpid::evaluate::testing
