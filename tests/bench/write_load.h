#pragma once
// The load of the remote-write benchmark: made-up series as many small services have them, sent as
// a sender would.

#include "kpid/base/result.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::bench {

/// Series in four kinds, in turn: two counters that grow by 0 to 49, a gauge that walks by whole
/// steps and one that walks by tenths. Six labels each, one of which no other series has. Equal
/// shapes give equal bytes.
class WriteLoad {
public:
    struct Shape {
        std::size_t series = 0;
        std::size_t batch_size = 2000;  ///< Samples of a request.
        std::uint64_t seed = 1;
    };

    explicit WriteLoad(const Shape& shape);

    /// One sample of every series at that instant: bodies of requests, compressed, in order of
    /// series.
    [[nodiscard]] std::vector<std::string> next_round(std::int64_t ms);

    [[nodiscard]] const Shape& shape() const { return shape_; }

    /// Selects the load's series and no others.
    static constexpr std::string_view kSelector = R"({job=~"load_.*"})";

private:
    struct Series {
        std::string labels;       // Encoded.
        std::int64_t tenths = 0;  // The value.
        int kind = 0;
    };

    void step(Series& series);

    const Shape shape_;
    std::mt19937_64 random_;
    std::vector<Series> series_;
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
