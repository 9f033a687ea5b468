// The program that the crash test kills: appends without end from several threads and writes one
// line "thread index" on standard output for each acknowledged append.

#include "kpid/storage/storage.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr int kThreads = 3;

kpid::model::Labels named(std::string_view name, int thread) {
    return {{"__name__", name}, {"thread", std::to_string(thread)}};
}

// Checkpoints and deletions, as fast as they go.
void keep_up(kpid::storage::Storage& storage) {
    const std::vector<kpid::model::Matcher> deleted{
        kpid::model::Matcher::equal("__name__", "deleted")};
    for (int turn = 0;; ++turn) {
        const bool done = turn % 3 == 0 ? storage.delete_series(deleted, {}).has_value()
                                        : storage.checkpoint(kpid::Timestamp(turn)).has_value();
        if (!done) {
            std::abort();
        }
    }
}

void append_without_end(kpid::storage::Storage& storage, int thread, std::int64_t start) {
    using kpid::Timestamp;
    for (std::int64_t index = start;; ++index) {
        const Timestamp time(index);
        const std::vector<kpid::model::SeriesSample> samples{
            {{{"__name__", "crash"}, {"thread", std::to_string(thread)}},
             time,
             static_cast<double>(index)},
            {{{"__name__", "churn"}, {"index", std::to_string(index % 1000)}}, time, 1.0},
            // Late, each instant once; a total that is written again and again; two events at once.
            {named("late", thread), Timestamp(index ^ 63), static_cast<double>(index)},
            {named("total", thread), Timestamp(start), static_cast<double>(index)},
            {named("event", thread), Timestamp(index / 2), static_cast<double>(index)},
            {named("deleted", thread), time, 1.0},
        };
        const std::vector<kpid::model::StateWrite> state{
            {fmt::format("crash/{}", thread), std::to_string(index)}};
        const auto result = storage.append({.samples = samples, .state = state, .now = time});
        if (!result || result->accepted != samples.size()) {
            std::abort();
        }
        const std::string line = fmt::format("{} {}\n", thread, index);
        if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
            std::abort();
        }
    }
}

}  // namespace

/// crash_writer PATH START: indices begin at START.
int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    auto storage = kpid::storage::Storage::open({.path = argv[1], .sealed_bytes_in_memory_max = 0});
    if (!storage) {
        fmt::print(stderr, "{}\n", storage.error().message);
        return 1;
    }
    const std::int64_t start = std::strtoll(argv[2], nullptr, 10);
    using kpid::model::MetricKind;
    (*storage)->declare_kinds({{"total", MetricKind::kTotal}, {"event", MetricKind::kEvent}});
    std::vector<std::thread> threads;
    threads.emplace_back([&storage] { keep_up(**storage); });
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back(
            [&storage, thread, start] { append_without_end(**storage, thread, start); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
