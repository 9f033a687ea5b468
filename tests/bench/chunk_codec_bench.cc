// How small chunks are and how fast: bytes a sample and million samples a CPU second, of sealed and
// of open chunks, by the shape of the values.

#include "kpid/base/assert.h"
#include "kpid/base/clock.h"
#include "storage/chunk_codec.h"
#include "storage/open_chunk.h"
#include "support/chunk_shapes.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace kpid::storage {
namespace {

using kpid::testing::Columns;
using kpid::testing::ValueShape;

constexpr std::size_t kSeries = 64;
constexpr std::size_t kSizes[] = {120, 240, 480, 1'000};
constexpr std::size_t kSizeOfSpeed = 480;
// The best of so many rounds, each over all series.
constexpr int kRounds = 15;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Million samples a CPU second of the fastest round.
double speed(std::size_t samples, const std::function<void()>& round) {
    double best = 0;
    for (int i = 0; i < kRounds; ++i) {
        const double start = cpu_seconds();
        round();
        best = std::max(best, static_cast<double>(samples) / (cpu_seconds() - start) * 1e-6);
    }
    return best;
}

using Source = std::function<Columns(std::size_t index, std::size_t count)>;

std::vector<Columns> make_series(const Source& source, std::size_t count) {
    std::vector<Columns> series;
    for (std::size_t i = 0; i < kSeries; ++i) {
        series.push_back(source(i, count));
    }
    return series;
}

double bytes_a_sample(const Source& source, std::size_t count) {
    std::size_t bytes = 0;
    for (const Columns& columns : make_series(source, count)) {
        bytes += encode_chunk(columns.times, columns.values).size();
    }
    return static_cast<double>(bytes) / static_cast<double>(kSeries * count);
}

struct Speeds {
    double encode = 0;
    double decode = 0;
    double append = 0;
    double decode_open = 0;
    double open_bytes = 0;
};

Speeds measure(const Source& source) {
    const std::vector<Columns> series = make_series(source, kSizeOfSpeed);
    const std::size_t samples = kSeries * kSizeOfSpeed;
    Speeds speeds;
    std::vector<std::string> chunks(kSeries);
    speeds.encode = speed(samples, [&] {
        for (std::size_t i = 0; i < kSeries; ++i) {
            chunks[i].clear();
            append_chunk(series[i].times, series[i].values, chunks[i]);
        }
    });
    Columns read;
    speeds.decode = speed(samples, [&] {
        for (const std::string& chunk : chunks) {
            read.times.clear();
            read.values.clear();
            KPID_ASSERT(decode_chunk(chunk, read.times, read.values).has_value());
        }
    });
    std::vector<OpenChunk> open;
    speeds.append = speed(samples, [&] {
        open.clear();
        open.resize(kSeries);
        for (std::size_t i = 0; i < kSeries; ++i) {
            for (std::size_t k = 0; k < kSizeOfSpeed; ++k) {
                KPID_ASSERT(open[i].append(series[i].times[k], series[i].values[k]));
            }
        }
    });
    std::size_t open_bytes = 0;
    for (const OpenChunk& chunk : open) {
        open_bytes += chunk.size_bytes();
    }
    speeds.open_bytes = static_cast<double>(open_bytes) / static_cast<double>(samples);
    speeds.decode_open = speed(samples, [&] {
        for (const OpenChunk& chunk : open) {
            read.times.clear();
            read.values.clear();
            chunk.decode(read.times, read.values);
        }
    });
    return speeds;
}

void print_row(const std::string& name, const Source& source) {
    fmt::print("| {:<18} |", name);
    for (const std::size_t size : kSizes) {
        fmt::print(" {:>5.3f} |", bytes_a_sample(source, size));
    }
    const Speeds speeds = measure(source);
    fmt::print(" {:>5.1f} | {:>5.0f} | {:>5.2f} | {:>5.0f} | {:>5.0f} |\n", speeds.encode,
               speeds.decode, speeds.open_bytes, speeds.append, speeds.decode_open);
}

}  // namespace
}  // namespace kpid::storage

int main() {
    using kpid::storage::print_row;
    fmt::print(
        "bytes a sample in sealed chunks of so many samples; million samples a CPU second, and the "
        "open chunk, with {}\n\n"
        "| values             |   120 |   240 |   480 | 1,000 | encode | decode | open bytes | "
        "append | read |\n|---|---|---|---|---|---|---|---|---|---|\n",
        kpid::storage::kSizeOfSpeed);
    for (const auto shape : kpid::testing::kValueShapes) {
        print_row(to_string(shape), [shape](std::size_t index, std::size_t count) {
            return kpid::testing::make_columns(shape, count, index);
        });
    }
    print_row("std mix", [](std::size_t index, std::size_t count) {
        return kpid::testing::make_mixed(index, count);
    });
    print_row("std mix, jitter 5", [](std::size_t index, std::size_t count) {
        kpid::testing::Columns columns = kpid::testing::make_mixed(index, count);
        columns.times =
            kpid::testing::make_columns(kpid::testing::ValueShape::kConstant, count, index, 5)
                .times;
        return columns;
    });
    return 0;
}
