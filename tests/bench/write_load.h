#pragma once
// The load of the benchmarks with peers: made-up series as many small services have them, or a
// benchmark's own, sent as a sender would.

#include "kpid/base/result.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::bench {

/// How a series goes on from one sample to the next.
enum class Steps {
    kCounter,       ///< Grows by 0 to 49.
    kResetCounter,  ///< The same, and begins anew about every 500 samples.
    kRareCounter,   ///< Grows by 1 about every 100 samples.
    kWholeWalk,     ///< A gauge that walks by 1, not below 0.
    kTenthWalk,     ///< A gauge that walks by up to 1 in tenths.
    kLow,           ///< A gauge of 0 to 4.
};

struct LoadSeries {
    using Label = std::pair<std::string_view, std::string>;

    /// `labels` are in order of their names.
    LoadSeries(const std::vector<Label>& labels, Steps how_it_steps, std::int64_t start_in_tenths);

    std::string labels;  ///< Encoded.
    Steps steps;
    std::int64_t tenths;  ///< The value.
};

/// Equal shapes, or equal series, give equal bytes.
class WriteLoad {
public:
    struct Shape {
        std::size_t series = 0;
        std::size_t batch_size = 2000;  ///< Samples of a request.
        std::uint64_t seed = 1;
    };

    /// Services: two counters, a gauge of whole steps and one in tenths, in turn. Six labels each,
    /// one of which no other series has.
    explicit WriteLoad(const Shape& shape);
    /// Series of a benchmark's own; `shape.series` does not count.
    WriteLoad(const Shape& shape, std::vector<LoadSeries> series)
        : batch_size_(shape.batch_size), random_(shape.seed), series_(std::move(series)) {}

    /// One sample of every series at that instant: bodies of requests, compressed, in order of
    /// series.
    [[nodiscard]] std::vector<std::string> next_round(std::int64_t ms);

    [[nodiscard]] std::size_t series_count() const { return series_.size(); }

    /// Selects the services' series and no others.
    static constexpr std::string_view kSelector = R"({job=~"load_.*"})";

private:
    void step(LoadSeries& series);

    std::size_t batch_size_;
    std::mt19937_64 random_;
    std::vector<LoadSeries> series_;
};

/// What became of requests.
struct SendReport {
    double wall_seconds = 0;
    std::size_t refused = 0;  ///< Answered with something else than 2xx.
    std::string first_refusal;
};

/// Sends rounds, each as WriteLoad::next_round() made it, over so many kept connections, each with
/// one request under way. A series' samples keep their order. kUnavailable when a connection
/// breaks.
[[nodiscard]] Result<SendReport> send_rounds(std::uint16_t port,
                                             const std::vector<std::vector<std::string>>& rounds,
                                             std::size_t connections = 4);

}  // namespace kpid::bench
