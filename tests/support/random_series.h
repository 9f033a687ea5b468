#pragma once
// Random samples for the series that ExpressionGenerator asks for.

#include "kpid/model/labels.h"
#include "kpid/model/sample.h"
#include "support/memory_storage.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace kpid::testing {

/// A small generator of numbers (splitmix64): the same seed gives the same numbers everywhere.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    /// A number below `n`, which is above 0.
    std::size_t below(std::size_t n) {
        state_ += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return (z ^ (z >> 31)) % n;
    }

private:
    std::uint64_t state_;
};

/// `count` samples, `interval` apart, of every metric that ExpressionGenerator knows; the newest
/// stand at the epoch, each series a little before or behind.
inline std::vector<model::SeriesSample> random_samples(Dice& dice, std::size_t count,
                                                       Duration interval) {
    std::vector<model::SeriesSample> samples;
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto put = [&](std::string name, std::vector<model::Label> labels, auto&& value) {
        labels.push_back({std::string(model::kMetricName), std::move(name)});
        const model::Labels series = model::Labels::from(std::move(labels));
        Timestamp time = Timestamp(static_cast<std::int64_t>(dice.below(2000))) -
                         interval * static_cast<std::int64_t>(count);
        for (std::size_t i = 0; i < count; ++i) {
            time += interval;
            const double v = value();
            if (!std::isnan(v) || dice.below(2) == 0) {
                samples.push_back({.labels = series, .time = time, .value = v});
            }
        }
    };
    const auto any = [&dice](std::size_t n) { return static_cast<double>(dice.below(n)); };
    for (const auto& [host, room] : {std::pair{"a", "x"}, {"b", "x"}, {"c", "y"}}) {
        const std::vector<model::Label> both = {{"host", host}, {"room", room}};
        put("temperature", both, [&] { return any(100) / 2 - 10; });
        double total = any(1000);
        put("requests_total", both, [&] {
            total = dice.below(40) == 0 ? any(10) : total + any(50);
            return total;
        });
        const std::vector<model::Label> host_only = {{"host", host}};
        put("sparse", host_only, [&] {
            return dice.below(3) == 0 ? model::stale_marker()
                                      : (dice.below(3) == 0 ? std::nan("") : any(5));
        });
        put("odd", host_only, [&] {
            constexpr double kOdd[] = {kInfinity, -kInfinity, 1e308, -1e308, 5e-324, -0.0, 0.0, 1};
            return dice.below(4) == 0 ? std::nan("") : kOdd[dice.below(8)];
        });
        for (const char* bound : {"0.1", "0.5", "1", "+Inf"}) {
            double bucket = any(10);
            put("latency_bucket", {{"host", host}, {"le", bound}},
                [&] { return bucket += any(10); });
        }
    }
    put("weight", {{"room", "x"}}, [&] { return any(10); });
    put("weight", {{"room", "y"}}, [&] { return any(10); });
    put("limit", {}, [&] { return any(60); });
    return samples;
}

/// The same, in a storage.
inline void put_random_series(MemoryStorage& storage, Dice& dice, std::size_t count,
                              Duration interval) {
    for (const model::SeriesSample& sample : random_samples(dice, count, interval)) {
        storage.put(sample.labels, sample.time, sample.value);
    }
}

}  // namespace kpid::testing
