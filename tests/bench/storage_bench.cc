// How fast the storage takes, finds and reads samples.

#include "kpid/storage/storage.h"
#include "support/temporary_folder.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

namespace kpid::storage {
namespace {

constexpr Timestamp kStart{1'800'000'000'000};

std::unique_ptr<Storage> open_in(const testing::TemporaryFolder& folder,
                                 Durability durability = Durability::kProcess) {
    auto opened = Storage::open({.path = folder.file("data"), .durability = durability});
    return opened ? *std::move(opened) : nullptr;
}

std::vector<model::SeriesSample> samples_of(std::size_t series) {
    std::vector<model::SeriesSample> samples;
    for (std::size_t i = 0; i < series; ++i) {
        samples.push_back({{{"__name__", fmt::format("metric_{}", i % 100)},
                            {"instance", fmt::format("host-{}", i / 100)},
                            {"job", "bench"}},
                           kStart,
                           static_cast<double>(i)});
    }
    return samples;
}

void set_time(std::vector<model::SeriesSample>& samples, Timestamp time) {
    for (model::SeriesSample& sample : samples) {
        sample.time = time;
        sample.value += 1;
    }
}

/// range(0): samples of a batch, each of another series.
void append_batches(benchmark::State& state) {
    const testing::TemporaryFolder folder;
    const auto storage = open_in(folder);
    auto samples = samples_of(static_cast<std::size_t>(state.range(0)));
    Timestamp time = kStart;
    for (auto _ : state) {
        time += Duration(1000);
        set_time(samples, time);
        if (!storage->append({.samples = samples, .now = time})) {
            state.SkipWithError("append failed");
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(append_batches)->Arg(1)->Arg(100)->Arg(10'000)->UseRealTime();

void append_synced(benchmark::State& state) {
    const testing::TemporaryFolder folder;
    const auto storage = open_in(folder, Durability::kFsync);
    auto samples = samples_of(1);
    Timestamp time = kStart;
    for (auto _ : state) {
        time += Duration(1000);
        set_time(samples, time);
        if (!storage->append({.samples = samples, .now = time})) {
            state.SkipWithError("append failed");
        }
    }
}
BENCHMARK(append_synced)->UseRealTime();

/// Among 100,000 series.
void select_by(benchmark::State& state, const std::vector<model::Matcher>& matchers) {
    const testing::TemporaryFolder folder;
    const auto storage = open_in(folder);
    const auto samples = samples_of(100'000);
    if (!storage->append({.samples = samples, .now = kStart})) {
        state.SkipWithError("append failed");
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(storage->select(matchers, {}, {}));
    }
}

void select_one_of_100k(benchmark::State& state) {
    select_by(state, {model::Matcher::equal("__name__", "metric_7"),
                      model::Matcher::equal("instance", "host-500")});
}
BENCHMARK(select_one_of_100k);

void select_name_of_100k(benchmark::State& state) {
    select_by(state, {model::Matcher::equal("__name__", "metric_7")});
}
BENCHMARK(select_name_of_100k);

void select_regexp_of_100k(benchmark::State& state) {
    const auto matcher = model::Matcher::make(model::MatchType::kRegexp, "instance", "host-5.");
    select_by(state, {*matcher});
}
BENCHMARK(select_regexp_of_100k);

/// range(0): samples in the log.
void reopen(benchmark::State& state) {
    const testing::TemporaryFolder folder;
    auto storage = open_in(folder);
    auto samples = samples_of(1000);
    Timestamp time = kStart;
    for (std::int64_t i = 0; i < state.range(0) / 1000; ++i) {
        time += Duration(1000);
        set_time(samples, time);
        if (!storage->append({.samples = samples, .now = time})) {
            state.SkipWithError("append failed");
        }
    }
    for (auto _ : state) {
        storage.reset();
        storage = open_in(folder);
        benchmark::DoNotOptimize(storage.get());
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(reopen)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kpid::storage
