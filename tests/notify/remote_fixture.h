#pragma once
// Words for tests of remote write's sending side: a log that grows, a remote, a writer that
// crashes.

#include "config/config.h"
#include "notify/remote_writer.h"
#include "support/failing_store.h"
#include "support/fake_remote.h"
#include "support/fake_sample_log.h"
#include "support/manual_timers.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <bit>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kpid::notify::testing {

using namespace std::chrono_literals;
using kpid::testing::FailingStore;
using kpid::testing::FakeRemote;
using kpid::testing::FakeSampleLog;

inline const std::string kUrl = "http://there/api/v1/write";

/// A writer on simulated time, whose log, store and remote outlive it.
class RemoteWriteTest : public ::testing::Test {
protected:
    RemoteWriteTest() : remote_(sim_.timers()), workers_({.threads = 0}) {
        config_.remote_writes.push_back({.url = kUrl, .send = config::RemoteWriteSend::kAll});
        config_.remote_writes[0].queue.batch_send_deadline = 1s;
    }
    ~RemoteWriteTest() override { stop(); }

    [[nodiscard]] config::RemoteWriteConfig& remote_config() { return config_.remote_writes[0]; }

    void start() {
        registry_ = std::make_unique<prometheus::Registry>();
        writer_ = std::make_unique<RemoteWriter>(
            sim_.make_strand(), RemoteWriterDependencies{.log = log_,
                                                         .state = store_,
                                                         .client = remote_,
                                                         .timers = sim_.timers(),
                                                         .workers = workers_,
                                                         .registry = *registry_,
                                                         .metadata = [this] { return families_; },
                                                         .seed = 7});
        const Result<void> started = writer_->start(config_);
        ASSERT_TRUE(started) << started.error().message;
        sim_.run_until_idle();
    }
    /// As the daemon does: at most ten seconds.
    void stop() {
        if (writer_ == nullptr) {
            return;
        }
        const MonoTime deadline = sim_.timers().after(10s);
        writer_->stop(deadline);
        sim_.advance(10s);
        const std::optional<bool> joined = sim_.run(writer_->join(deadline));
        EXPECT_TRUE(joined.has_value() && *joined);
        writer_.reset();
    }
    /// Nothing is sent and nothing saved any more; then a new start.
    void crash() {
        remote_.set_down(true);
        store_.fail_after(0);
        stop();
        store_.recover();
        remote_.set_down(false);
        log_.forget_holds();
    }
    void reload() {
        writer_->reconfigure(config_);
        sim_.run_until_idle();
    }

    /// One record with the next value, 1 s later each, of every series.
    void store(const std::vector<std::string>& series,
               model::AppendOrigin origin = model::AppendOrigin::kExternal) {
        ++stored_;
        std::vector<model::LoggedSample> samples;
        for (const std::string& name : series) {
            const model::Sample sample{Timestamp(start_ + stored_ * 1000),
                                       static_cast<double>(stored_)};
            const model::Labels labels{{"__name__", name}};
            samples.push_back({labels, sample, origin});
            expected_[labels.to_string()].emplace_back(sample.time.ms(),
                                                       std::bit_cast<std::uint64_t>(sample.value));
        }
        log_.append(std::move(samples));
    }
    void store_many(int records, const std::vector<std::string>& series) {
        for (int i = 0; i < records; ++i) {
            store(series);
        }
    }

    /// The one metric of this name and these further labels.
    [[nodiscard]] double metric(const std::string& name,
                                const std::map<std::string, std::string>& labels = {}) const {
        for (const auto& family : registry_->Collect()) {
            if (family.name != "kpid_remote_write_" + name) {
                continue;
            }
            for (const auto& one : family.metric) {
                std::size_t matching = 0;
                for (const auto& label : one.label) {
                    const auto found = labels.find(label.name);
                    if (found != labels.end() && found->second == label.value) {
                        ++matching;
                    }
                }
                if (matching == labels.size()) {
                    return family.type == prometheus::MetricType::Counter ? one.counter.value
                                                                          : one.gauge.value;
                }
            }
        }
        return -1;
    }

    kpid::testing::SimRuntime sim_;
    FakeSampleLog log_;
    FailingStore store_;
    FakeRemote remote_;
    net::WorkerPool workers_;
    config::Config config_;
    std::vector<model::MetricMetadata> families_;
    std::unique_ptr<prometheus::Registry> registry_;
    std::unique_ptr<RemoteWriter> writer_;
    std::int64_t start_ = Timestamp(1'800'000'000'000).ms();
    std::int64_t stored_ = 0;
    std::map<std::string, FakeRemote::Points> expected_;
};

}  // namespace kpid::notify::testing
