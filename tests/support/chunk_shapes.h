#pragma once
// Samples as series have them, from a seed: what the chunk codec is tested and measured with.

#include "kpid/base/time.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace kpid::testing {

/// Samples of one series, as two columns.
struct Columns {
    std::vector<Timestamp> times;
    std::vector<double> values;
};

/// How a series' values move.
enum class ValueShape {
    kConstant,
    kIntegerGauge,     ///< Around 500, with a spread of 40.
    kCounter,          ///< Whole steps of 0 to 49.
    kIdleCounter,      ///< One step in fifty samples.
    kBusyCounter,      ///< Steps around 1,000, with a spread of 30.
    kOneDecimal,       ///< Walks by tenths up to 1.
    kTwoDecimals,      ///< Around 20, with a spread of 0.5.
    kTenthsPlusWhole,  ///< Starts at tenths, then whole steps in floating point.
    kNoise,            ///< Any double from 0 to 1.
    kNoiseWalk,        ///< Steps with all their digits.
};
inline constexpr ValueShape kValueShapes[] = {
    ValueShape::kConstant,    ValueShape::kIntegerGauge,    ValueShape::kCounter,
    ValueShape::kIdleCounter, ValueShape::kBusyCounter,     ValueShape::kOneDecimal,
    ValueShape::kTwoDecimals, ValueShape::kTenthsPlusWhole, ValueShape::kNoise,
    ValueShape::kNoiseWalk,
};

[[nodiscard]] inline std::string to_string(ValueShape shape) {
    switch (shape) {
        case ValueShape::kConstant:
            return "constant";
        case ValueShape::kIntegerGauge:
            return "integer gauge";
        case ValueShape::kCounter:
            return "counter";
        case ValueShape::kIdleCounter:
            return "idle counter";
        case ValueShape::kBusyCounter:
            return "busy counter";
        case ValueShape::kOneDecimal:
            return "gauge, 1 decimal";
        case ValueShape::kTwoDecimals:
            return "gauge, 2 decimals";
        case ValueShape::kTenthsPlusWhole:
            return "float sums";
        case ValueShape::kNoise:
            return "noise";
        case ValueShape::kNoiseWalk:
            return "noise walk";
    }
    return "";
}

/// Values of one shape.
class ValueSource {
public:
    ValueSource(ValueShape shape, std::uint64_t seed) : shape_(shape), random_(seed) {
        value_ = shape == ValueShape::kOneDecimal || shape == ValueShape::kTenthsPlusWhole
                     ? static_cast<double>(random_() % 1000) / 10
                     : static_cast<double>(random_() % 1'000'000);
    }

    double next() {
        switch (shape_) {
            case ValueShape::kConstant:
                break;
            case ValueShape::kIntegerGauge:
                value_ = std::round(500 + 40 * normal_(random_));
                break;
            case ValueShape::kCounter:
                value_ += static_cast<double>(random_() % 50);
                break;
            case ValueShape::kIdleCounter:
                value_ += random_() % 50 == 0 ? 1 : 0;
                break;
            case ValueShape::kBusyCounter:
                value_ += std::round(1000 + 30 * normal_(random_));
                break;
            case ValueShape::kOneDecimal:
                value_ =
                    std::round((value_ + (static_cast<double>(random_() % 21) - 10) / 10) * 10) /
                    10;
                break;
            case ValueShape::kTwoDecimals:
                value_ = std::round((20 + 0.5 * normal_(random_)) * 100) / 100;
                break;
            case ValueShape::kTenthsPlusWhole:
                value_ = std::max(0.0, value_ + static_cast<double>(random_() % 3) - 1);
                break;
            case ValueShape::kNoise:
                value_ = uniform_(random_);
                break;
            case ValueShape::kNoiseWalk:
                value_ += normal_(random_);
                break;
        }
        return value_;
    }

private:
    ValueShape shape_;
    std::mt19937_64 random_;
    std::normal_distribution<double> normal_;
    std::uniform_real_distribution<double> uniform_;
    double value_;
};

/// Every 15 s, with up to `jitter_ms` before or after that.
[[nodiscard]] inline Columns make_columns(ValueShape shape, std::size_t count, std::uint64_t seed,
                                          std::int64_t jitter_ms = 0) {
    ValueSource source(shape, seed);
    std::mt19937_64 random(seed + 1);
    std::uniform_int_distribution<std::int64_t> jitter(-jitter_ms, jitter_ms);
    Columns columns;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t time = 1'800'000'000'123 + static_cast<std::int64_t>(i) * 15'000;
        columns.times.emplace_back(time + (jitter_ms > 0 ? jitter(random) : 0));
        columns.values.push_back(source.next());
    }
    return columns;
}

/// Series of the load generator's mixed data: two counters, whole steps in floating point from a
/// start in tenths, and a walk by tenths, in turn.
[[nodiscard]] inline Columns make_mixed(std::size_t index, std::size_t count) {
    constexpr ValueShape kKinds[] = {ValueShape::kCounter, ValueShape::kCounter,
                                     ValueShape::kTenthsPlusWhole, ValueShape::kOneDecimal};
    return make_columns(kKinds[index % 4], count, index);
}

}  // namespace kpid::testing
