// From stored samples to webhooks on simulated time, with failing disks and peers, crashes and
// reloads at random. What was told to fire is told exactly once how it ended; no acknowledged
// sample is lost; queues stay bounded.
//
// KPID_SIM_SEED runs one seed, KPID_SIM_TICKS more or fewer ticks.
#include "config/load.h"
#include "evaluate/evaluator.h"
#include "notify/notifier.h"
#include "sim/faulty_storage.h"
#include "sim/webhook_peer.h"
#include "support/manual_timers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <cstdlib>
#include <iostream>
#include <random>

namespace kpid::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

constexpr int kTicksDefault = 250;
constexpr int kTicksOfTrouble = 25;  // then all is well for a while
constexpr int kMinutesOfRest = 30;
constexpr std::size_t kPendingMessagesMax = 60;
constexpr std::size_t kActiveAlertsMax = 60;
const std::vector<std::string> kShops{"at", "ch", "de"};

class AlertPath {
public:
    explicit AlertPath(std::uint64_t seed)
        : random_(seed), workers_(net::WorkerPoolOptions{.threads = 0}) {
        load();
        start();
    }
    ~AlertPath() { end(); }

    void tick() {
        const int dice = number(0, 99);
        if (dice < 4) {
            crash();
        } else if (dice < 7) {
            end();
            stay_down();
            start();
        } else if (dice < 13) {
            load();
            reload();
        } else if (dice < 22) {
            set_fault(number(0, 1) == 0 ? FaultyStorage::Fault::kRefuse
                                        : FaultyStorage::Fault::kLoseAnswer);
        } else if (dice < 36) {
            set_fault(FaultyStorage::Fault::kNone);
        } else if (dice < 46) {
            peer_.set_mood(static_cast<WebhookPeer::Mood>(number(0, 3)));
        } else if (dice < 54) {
            peer_.set_mood(WebhookPeer::Mood::kWell);
        }
        for (int pushes = number(0, 3); pushes > 0; --pushes) {
            push(number(0, 8));
        }
        sim_.advance(Duration(number(0, 4) == 0 ? number(1, 30'000) : number(1, 3'000)));
    }

    /// No more faults, some configuration, good values: until everything has ended.
    void all_is_well() {
        set_fault(FaultyStorage::Fault::kNone);
        peer_.set_mood(WebhookPeer::Mood::kWell);
        load_text(text("5", "3", number(0, 1) == 0));
        reload();
        for (int minute = 0; minute < kMinutesOfRest; ++minute) {
            push(9);
            sim_.advance(1min);
        }
    }

    void expect_invariants() {
        EXPECT_THAT(peer_.breaches(), IsEmpty());
        EXPECT_LE(notifier_->list({.receiver = {}, .state = notify::MessageState::kPending}).size(),
                  kPendingMessagesMax);
        EXPECT_LE(evaluator_->alerts().size(), kActiveAlertsMax);
        if (!acknowledged_.empty()) {
            expect_stored(acknowledged_.back());
        }
    }
    void expect_all_told() {
        EXPECT_EQ(peer_.starts(), peer_.ends());
        for (const auto& [fingerprint, name] : peer_.firing()) {
            ADD_FAILURE() << "never told how it ended: " << name;
        }
        EXPECT_THAT(evaluator_->alerts(), IsEmpty());
        EXPECT_THAT(notifier_->list({.receiver = {}, .state = notify::MessageState::kPending}),
                    IsEmpty());
        for (const model::SeriesSample& sample : acknowledged_) {
            expect_stored(sample);
        }
    }
    [[nodiscard]] std::string summary() const {
        return fmt::format("{} samples acknowledged, {} starts and {} ends told in {} requests",
                           acknowledged_.size(), peer_.starts(), peer_.ends(), peer_.requests());
    }

private:
    [[nodiscard]] int number(int from, int to) {
        return std::uniform_int_distribution<int>(from, to)(random_);
    }

    [[nodiscard]] static std::string text(const std::string& warning, const std::string& critical,
                                          bool whole) {
        std::string yaml =
            "global: {evaluation_interval: 5s}\n"
            "owners: {ops: {title: Operations}}\n"
            "alerting:\n"
            "  route: {receiver: hook, group_by: [alertname], group_wait: 1s, "
            "group_interval: 10s, repeat_interval: 4h}\n"
            "  receivers: [{name: hook, webhook_configs: [{url: 'http://peer/hook'}]}]\n"
            "rule_files: [rules.yml]\n"
            "kpis:\n"
            "  csat: {title: C, owner: ops, unit: count, better: higher, "
            "value: {expr: 'avg by (shop) (csat)'}, evaluate: on_sample, warning: " +
            warning + ", critical: {below: " + critical + ", for: 3s}}\n";
        if (whole) {
            yaml +=
                "  ratio: {title: R, owner: ops, unit: count, better: higher, "
                "value: {expr: 'sum(csat) / sum(asked)'}, evaluate: on_sample, "
                "warning: {below: 2, keep_firing_for: 10s, recover: {at_least: 3}}}\n";
        }
        return yaml;
    }

    void load() {
        load_text(
            text(std::to_string(number(4, 6)), std::to_string(number(1, 4)), number(0, 2) > 0));
    }
    void load_text(const std::string& yaml) {
        const std::string rules =
            "groups:\n  - name: g\n    interval: 7s\n    rules:\n"
            "      - {record: 'csat:min', expr: 'min(csat)'}\n"
            "      - {alert: Low, expr: 'csat:min < 3', for: 7s}\n";
        const std::string more = "      - {alert: Worst, expr: 'csat < 2'}\n";
        const MapFileReader files = reader(yaml, number(0, 3) > 0 ? rules + more : rules);
        config::LoadResult loaded = config::load_config("kpid.yaml", {.files = &files});
        for (const config::Finding& finding : loaded.findings) {
            EXPECT_NE(finding.severity, config::Severity::kError) << to_string(finding);
        }
        ASSERT_TRUE(loaded.ok());
        config_ = loaded.config;
    }
    using MapFileReader = config::MapFileReader;
    [[nodiscard]] static MapFileReader reader(const std::string& main, const std::string& rules) {
        return MapFileReader({{"kpid.yaml", main}, {"rules.yml", rules}});
    }

    void set_fault(FaultyStorage::Fault fault) { storage_.set_fault(fault); }

    void push(int value) {
        std::vector<model::SeriesSample> batch;
        for (const std::string& shop : kShops) {
            if (value == 9 || number(0, 2) > 0) {
                batch.push_back({model::Labels{{"__name__", "csat"}, {"shop", shop}}, now(),
                                 static_cast<double>(value == 9 ? 9 : number(0, 8))});
            }
        }
        batch.push_back({model::Labels{{"__name__", "asked"}}, now(), 5.0 - 0.4 * value});
        const Result<model::AppendResult> stored =
            storage_.append({.samples = batch, .now = now()});
        if (stored && stored->rejected.empty()) {
            acknowledged_.insert(acknowledged_.end(), batch.begin(), batch.end());
        }
        sim_.run_until_idle();
    }
    void expect_stored(const model::SeriesSample& sample) const {
        const std::vector<model::Matcher> matchers{
            model::Matcher::equal(model::kMetricName, sample.labels.metric_name()),
            model::Matcher::equal("shop", sample.labels.get("shop"))};
        const auto found =
            storage_.select(matchers, {sample.time, sample.time}, {.samples_max = 10});
        ASSERT_TRUE(found && found->size() == 1) << sample.labels.to_string();
        EXPECT_EQ(found->at(0).values.at(0), sample.value);
    }
    [[nodiscard]] Timestamp now() { return sim_.clock().wall_now(); }

    void start() {
        registry_ = std::make_unique<prometheus::Registry>();
        set_fault(FaultyStorage::Fault::kNone);
        notifier_ = std::make_unique<notify::Notifier>(
            sim_.make_strand(), notify::NotifierDependencies{.store = storage_,
                                                             .client = peer_,
                                                             .timers = sim_.timers(),
                                                             .workers = workers_,
                                                             .registry = *registry_,
                                                             .log = Logger(),
                                                             .seed = random_()});
        ASSERT_TRUE(notifier_->start(config_));
        if (number(0, 9) == 0) {
            set_fault(FaultyStorage::Fault::kRefuse);
        }
        evaluator_ = std::make_unique<evaluate::Evaluator>(
            sim_.make_strand(),
            evaluate::EvaluatorDependencies{
                .reader = storage_,
                .appender = storage_,
                .state = storage_,
                .sink = *notifier_,
                .timers = sim_.timers(),
                .executor = workers_,
                .registry = *registry_,
                .sources = {.is_polled = [](std::string_view) { return false; },
                            .answered_since_start = [](std::string_view) { return true; },
                            .all_answered_since_start = [] { return true; }},
                .log = Logger()});
        evaluator_->start(config_);
        storage_.set_observer(&evaluator_->observer());
        sim_.run_until_idle();
    }
    void reload() {
        notifier_->reconfigure(config_);
        evaluator_->reconfigure(config_);
        sim_.run_until_idle();
    }
    void end() {
        storage_.set_observer(nullptr);
        evaluator_->stop();
        EXPECT_EQ(sim_.run(evaluator_->join(MonoTime::max())), true);
        evaluator_.reset();
        notifier_->stop();
        EXPECT_EQ(sim_.run(notifier_->join(MonoTime::max())), true);
        notifier_.reset();
    }
    /// From now on the process writes and says nothing: it is dead and does not know it yet.
    void crash() {
        set_fault(FaultyStorage::Fault::kRefuse);
        peer_.set_mood(WebhookPeer::Mood::kRefuses);
        end();
        peer_.set_mood(WebhookPeer::Mood::kWell);
        stay_down();
        start();
    }
    /// Nobody evaluates: values grow old, and definitions may change.
    void stay_down() {
        if (number(0, 1) == 0) {
            load();
        }
        sim_.advance(number(0, 2) == 0 ? Duration(number(1, 400'000)) : 1s);
    }

    std::mt19937_64 random_;
    SimRuntime sim_;
    FaultyStorage storage_;
    WebhookPeer peer_;
    net::WorkerPool workers_;
    std::shared_ptr<const config::Config> config_;
    std::unique_ptr<prometheus::Registry> registry_;
    std::unique_ptr<notify::Notifier> notifier_;
    std::unique_ptr<evaluate::Evaluator> evaluator_;
    std::vector<model::SeriesSample> acknowledged_;
};

std::optional<std::uint64_t> from_environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? std::nullopt : std::optional(std::strtoull(text, nullptr, 10));
}

TEST(AlertPathSim, TellsEveryEndOnceThroughFaultsCrashesAndReloads) {
    const auto ticks = static_cast<int>(from_environment("KPID_SIM_TICKS").value_or(kTicksDefault));
    std::vector<std::uint64_t> seeds{1, 2, 3, 4, 5, 6};
    if (const auto seed = from_environment("KPID_SIM_SEED")) {
        seeds = {*seed};
    }
    for (const std::uint64_t seed : seeds) {
        SCOPED_TRACE(fmt::format("KPID_SIM_SEED={}", seed));
        AlertPath path(seed);
        for (int tick = 0; tick < ticks && !HasFailure(); ++tick) {
            SCOPED_TRACE(fmt::format("tick {}", tick));
            path.tick();
            path.expect_invariants();
            if ((tick + 1) % kTicksOfTrouble == 0 || tick + 1 == ticks) {
                path.all_is_well();
                path.expect_all_told();
            }
        }
        std::cout << "seed " << seed << ": " << path.summary() << "\n";
    }
}

}  // namespace
}  // namespace kpid::testing
