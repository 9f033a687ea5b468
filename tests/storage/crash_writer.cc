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

void append_without_end(kpid::storage::Storage& storage, int thread, std::int64_t start) {
    using kpid::Timestamp;
    for (std::int64_t index = start;; ++index) {
        const Timestamp time(index);
        const std::vector<kpid::model::SeriesSample> samples{
            {{{"__name__", "crash"}, {"thread", std::to_string(thread)}},
             time,
             static_cast<double>(index)},
            {{{"__name__", "churn"}, {"index", std::to_string(index % 1000)}}, time, 1.0},
        };
        const std::vector<kpid::model::StateWrite> state{
            {fmt::format("crash/{}", thread), std::to_string(index)}};
        const auto result = storage.append({.samples = samples, .state = state, .now = time});
        if (!result) {
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
    auto storage = kpid::storage::Storage::open({.path = argv[1]});
    if (!storage) {
        fmt::print(stderr, "{}\n", storage.error().message);
        return 1;
    }
    const std::int64_t start = std::strtoll(argv[2], nullptr, 10);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back(
            [&storage, thread, start] { append_without_end(**storage, thread, start); });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
