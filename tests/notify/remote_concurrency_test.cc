// Many threads around one remote writer: for ThreadSanitizer, and for what must hold in any order.

#include "notify/remote_writer.h"
#include "support/failing_store.h"
#include "support/fake_remote.h"
#include "support/fake_sample_log.h"
#include "support/net_fixture.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace kpid::notify::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 3;
constexpr int kRecordsPerThread = 200;

TEST(RemoteConcurrency, EverythingArrivesWhileOthersAppendReloadAndLook) {
    kpid::testing::NetFixture net;
    kpid::testing::FakeSampleLog log;
    kpid::testing::FailingStore store;
    kpid::testing::FakeRemote remote(net.timers());
    prometheus::Registry registry;
    config::Config config;
    config.remote_writes.push_back({.url = "http://there/", .send = config::RemoteWriteSend::kAll});
    config.remote_writes[0].queue = {
        .capacity = 50, .min_shards = 3, .max_samples_per_send = 7, .batch_send_deadline = 5ms};
    RemoteWriter writer(net.runtime().make_strand(), {.log = log,
                                                      .state = store,
                                                      .client = remote,
                                                      .timers = net.timers(),
                                                      .workers = net.workers(),
                                                      .registry = registry});
    const Result<void> started = writer.start(config);
    ASSERT_TRUE(started) << started.error().message;
    std::vector<std::thread> appenders;
    for (int thread = 0; thread < kThreads; ++thread) {
        appenders.emplace_back([&log, &writer, thread] {
            const model::Labels labels{{"__name__", "x"}, {"thread", std::to_string(thread)}};
            for (int i = 0; i < kRecordsPerThread; ++i) {
                const std::vector<model::SeriesSample> samples = {{labels, Timestamp(i), 1.0 * i}};
                log.append({{labels, {Timestamp(i), 1.0 * i}}});
                writer.observer().on_append({.samples = samples}, {.accepted = 1});
            }
        });
    }
    std::atomic<bool> done = false;
    std::thread meddler([&] {
        for (std::uint64_t i = 0; !done; ++i) {
            config.remote_writes[0].queue.max_samples_per_send = 5 + i / 50 % 3;
            writer.reconfigure(config);
            writer.refresh_metrics();
            static_cast<void>(registry.Collect());
        }
    });
    for (std::thread& thread : appenders) {
        thread.join();
    }
    done = true;
    meddler.join();
    writer.stop(net.timers().after(30s));
    EXPECT_TRUE(net.wait(writer.join(net.timers().after(30s))));
    ASSERT_EQ(remote.series().size(), static_cast<std::size_t>(kThreads));
    for (const auto& [series, points] : remote.series()) {
        SCOPED_TRACE(series);
        std::int64_t next = 0;
        for (const auto& [time, bits] : points) {
            // A reload may send again what was on its way.
            EXPECT_LE(time, next);
            next = std::max(next, time + 1);
        }
        EXPECT_EQ(next, kRecordsPerThread);
    }
}

}  // namespace
}  // namespace kpid::notify::testing
