// Pollers, listeners and readers on many threads at once, with real sockets and real time.

#include "ingest/ingest.h"
#include "ingest/push_sink.h"
#include "kpid/model/matcher.h"
#include "net/http_client.h"
#include "support/fake_transport.h"
#include "support/memory_storage.h"
#include "support/net_fixture.h"

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace kpid::ingest {
namespace {

using kpid::testing::MemoryStorage;
using kpid::testing::NetFixture;

net::Task<Result<void>> apply(Ingest* owner, std::shared_ptr<const config::Config> config) {
    co_return owner->reconfigure(std::move(config));
}

net::Task<bool> stop(Ingest* owner, MonoTime deadline) {
    owner->stop();
    const bool joined = co_await owner->join(deadline);
    co_return joined;
}

config::SourceConfig source(std::string id, config::SourceConfig::Kind kind, int interval_ms) {
    config::SourceConfig source;
    source.id = std::move(id);
    source.interval = Duration(interval_ms);
    source.timeout = Duration(interval_ms);
    source.kind = std::move(kind);
    return source;
}

// A round in `round` differs from the one before: something comes, goes and changes.
std::shared_ptr<const config::Config> config_of(int round) {
    auto config = std::make_shared<config::Config>();
    config->sources = {source("demo", config::DemoSource(), 5),
                       source("host", config::HostSource(), 20 + round % 2)};
    if (round % 2 == 0) {
        config::ScrapeConfig scrape;
        scrape.job_name = "nobody";
        scrape.interval = scrape.timeout = Duration(10 + round % 4);
        scrape.static_configs = {{.targets = {"127.0.0.1:9"}}};
        config->scrape_configs = {scrape};
        config->listeners.statsd =
            config::StatsdListener{.udp = "127.0.0.1:0", .flush_interval = Duration(10)};
    }
    return config;
}

std::size_t demo_samples(const MemoryStorage& storage) {
    const std::array<model::Matcher, 1> matchers{
        model::Matcher::equal(model::kMetricName, "demo_orders_total")};
    const auto series = storage.select(matchers, {Timestamp::min(), Timestamp::max()}, {});
    return series->empty() ? 0 : series->front().values.size();
}

TEST(IngestConcurrency, ExemplarsAreAddedAndFoundAtOnce) {
    constexpr std::size_t kEach = 2000;
    prometheus::Registry registry;
    Metrics metrics(registry);
    ExemplarTable table(metrics);
    const auto add = [&table](const char* series) {
        for (std::size_t i = 0; i < kEach; ++i) {
            table.add(Protocol::kRemoteWrite, model::Labels{{"__name__", series}},
                      {.labels = model::Labels{{"trace_id", "x"}},
                       .time = Timestamp(static_cast<std::int64_t>(i))},
                      Timestamp(0));
        }
    };
    std::thread first(add, "a");
    std::thread second(add, "b");
    const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", "a")};
    for (std::size_t seen = 0; seen < kEach;) {
        const std::vector<SeriesExemplars> found = table.select({&matchers, 1}, {});
        const std::size_t now_seen = found.empty() ? 0 : found[0].exemplars.size();
        EXPECT_GE(now_seen, seen);
        seen = now_seen;
    }
    first.join();
    second.join();
    EXPECT_EQ(table.size(), 2 * kEach);
}

TEST(IngestConcurrency, SurvivesReloadsUnderLoad) {
    NetFixture net;
    MemoryStorage storage;
    prometheus::Registry registry;
    net::CurlClient client(net.runtime().io_context());
    Metrics metrics(registry);
    ExemplarTable exemplars(metrics);
    Ingest ingest(net.runtime().make_strand(), {.appender = storage,
                                                .reader = storage,
                                                .state = storage,
                                                .client = client,
                                                .timers = net.timers(),
                                                .workers = net.workers(),
                                                .io = net.runtime().io_context(),
                                                .registry = registry,
                                                .exemplars = exemplars,
                                                .log = Logger()});
    std::atomic<bool> done{false};
    std::thread reader([&] {
        while (!done) {
            static_cast<void>(ingest.targets());
            static_cast<void>(ingest.all_answered_since_start());
            static_cast<void>(registry.Collect());
            std::this_thread::yield();
        }
    });
    for (int round = 0; round < 20; ++round) {
        EXPECT_TRUE(net.wait(apply(&ingest, config_of(round))).has_value());
        const std::size_t wanted = demo_samples(storage) + 5;
        while (demo_samples(storage) < wanted) {
            std::this_thread::yield();
        }
    }
    EXPECT_TRUE(net.wait(stop(&ingest, net.timers().after(std::chrono::seconds(30)))));
    done = true;
    reader.join();
}

// Two queries for each hour and two for each round; another question in every second round.
std::shared_ptr<const config::Config> queries_of(int round) {
    config::PromqlSource promql{.url = "http://peer", .queries = {}};
    promql.backfill_periods = std::chrono::hours(50);
    promql.backfill_samples = std::chrono::seconds(1);
    const std::string expr = "question_" + std::to_string(round % 2);
    for (const char* metric : {"a", "b"}) {
        promql.queries.push_back({.metric = metric, .expr = expr, .per = config::Period::kHour});
        promql.queries.push_back({.metric = std::string(metric) + "_level", .expr = expr});
    }
    auto config = std::make_shared<config::Config>();
    config->sources = {source("other", std::move(promql), 20)};
    return config;
}

std::string answer_of(const std::string& type, const std::string& result) {
    return R"({"status":"success","warnings":["slow"],"data":{"resultType":")" + type +
           R"(","result":)" + result + "}}";
}

TEST(IngestConcurrency, AsksForThePastWhileItIsReloadedAndLookedAt) {
    NetFixture net;
    MemoryStorage storage;
    prometheus::Registry registry;
    kpid::testing::FakeTransport peer;
    peer.answer_always("http://peer/api/v1/query",
                       kpid::testing::http_answer(200, answer_of("scalar", R"([1,"7"])")));
    peer.answer_always("http://peer/api/v1/query_range",
                       kpid::testing::http_answer(200, answer_of("matrix", "[]")));
    Metrics metrics(registry);
    ExemplarTable exemplars(metrics);
    Ingest ingest(net.runtime().make_strand(), {.appender = storage,
                                                .reader = storage,
                                                .state = storage,
                                                .client = peer,
                                                .timers = net.timers(),
                                                .workers = net.workers(),
                                                .io = net.runtime().io_context(),
                                                .registry = registry,
                                                .exemplars = exemplars,
                                                .log = Logger()});
    const auto view = [&ingest] {
        const std::vector<SourceView> sources = ingest.sources();
        return sources.empty() ? SourceView() : sources.front();
    };
    for (int round = 0; round < 10; ++round) {
        EXPECT_TRUE(net.wait(apply(&ingest, queries_of(round))).has_value());
        // Half of them are interrupted.
        while (round % 2 == 0 && (view().notes.periods_pending > 0 || view().health != "up")) {
            static_cast<void>(registry.Collect());
            std::this_thread::yield();
        }
    }
    EXPECT_TRUE(net.wait(stop(&ingest, net.timers().after(std::chrono::seconds(30)))));
    const auto hours = storage.select(std::array{model::Matcher::equal(model::kMetricName, "a")},
                                      {Timestamp::min(), Timestamp::max()}, {});
    ASSERT_EQ(hours->size(), 1U);
    EXPECT_GE(hours->front().values.size(), 49U);
    EXPECT_LE(hours->front().values.size(), 51U);
}

TEST(IngestConcurrency, StoresAKeyOnceHoweverManySendItAtOnce) {
    MemoryStorage storage;
    prometheus::Registry registry;
    Metrics metrics(registry);
    const SystemClock clock;
    PushSink sink(storage, storage, clock, metrics);
    std::vector<std::thread> senders;
    for (int i = 0; i < 8; ++i) {
        senders.emplace_back([&sink, i] {
            for (int key = 0; key < 20; ++key) {
                const std::string body = R"({"metric":"m)" + std::to_string(key) + R"(","value":)" +
                                         std::to_string(i) + "}";
                EXPECT_TRUE(sink.push_json(body, "key-" + std::to_string(key)).has_value());
            }
        });
    }
    for (std::thread& sender : senders) {
        sender.join();
    }
    const auto all = storage.select({}, {Timestamp::min(), Timestamp::max()}, {});
    ASSERT_EQ(all->size(), 20U);
    for (const model::SeriesColumns& series : *all) {
        EXPECT_EQ(series.values.size(), 1U);
    }
}

}  // namespace
}  // namespace kpid::ingest
