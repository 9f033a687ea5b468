#pragma once
// What encoder and decoder of integer columns share: the columns' parameters, the classes numbers
// fall into, and the shares of classes with a weight of four bits each.

#include "storage/entropy_coder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kpid::storage {

/// What is left of a number once the ones before it are known.
enum class IntegerOrder : std::uint8_t {
    kNumber = 0,      ///< The number itself.
    kDifference = 1,  ///< Less the one before.
    kChange = 2,      ///< The difference less the difference before.
    kLine = 3,        ///< Less first + i * slope.
};
/// How what is left is told.
enum class IntegerModel : std::uint8_t {
    kUniform = 0,  ///< base + unit * u, every u up to a greatest equally likely.
    kAbove = 1,    ///< base + unit * u, u by its class.
    kAround = 2,   ///< base + unit * u, u of either sign, zigzag, by its class.
};

/// Numbers that open the column, before what is left: the first, and a difference or slope.
[[nodiscard]] constexpr std::size_t opening_count(IntegerOrder order) {
    return order == IntegerOrder::kNumber ? 0 : order == IntegerOrder::kChange ? 2 : 1;
}

/// A number u is told by its class, then by as many plain bits as the class has. Classes are single
/// numbers up to 2^(granularity + 1), above it 2^granularity of them an octave.
inline constexpr unsigned kGranularityMax = 4;
inline constexpr std::size_t kClassesMax = 255;

[[nodiscard]] constexpr unsigned class_of(std::uint64_t number, unsigned granularity) {
    const auto width = static_cast<unsigned>(std::bit_width(number));
    const unsigned shift = width > granularity + 1 ? width - granularity - 1 : 0;
    return (shift << granularity) + static_cast<unsigned>(number >> shift);
}
[[nodiscard]] constexpr unsigned class_bits(unsigned index, unsigned granularity) {
    const unsigned octave = index >> granularity;
    return octave > 1 ? octave - 1 : 0;
}
[[nodiscard]] constexpr std::uint64_t class_first(unsigned index, unsigned granularity) {
    const unsigned shift = class_bits(index, granularity);
    return static_cast<std::uint64_t>(index - (shift << granularity)) << shift;
}
/// One past the last class.
[[nodiscard]] constexpr unsigned class_end(unsigned granularity) {
    return class_of(~std::uint64_t{0}, granularity) + 1;
}
/// The class, one granularity coarser.
[[nodiscard]] constexpr unsigned coarser_class(unsigned index, unsigned granularity_after) {
    const unsigned single = 2U << granularity_after;
    return index < single ? index : (index >> 1) + (single >> 1);
}

/// Powers of about 1.7: with these weights a chunk loses about a byte against true counts.
inline constexpr std::array<std::uint16_t, 16> kWeights{0,  1,  2,   3,   5,   8,   14,  24,
                                                        41, 70, 119, 203, 345, 587, 998, 1697};

/// Shares of kFrequencyTotal after the weights (indices of kWeights, not all 0): what has a weight
/// has a share, and the heaviest takes what is left over.
inline void assign_frequencies(std::span<const std::uint8_t> weights,
                               std::span<Frequency> frequencies) {
    std::uint32_t sum = 0;
    std::uint32_t present = 0;
    for (const std::uint8_t weight : weights) {
        sum += kWeights[weight];
        present += weight > 0 ? 1 : 0;
    }
    const std::uint32_t whole = std::max(sum, 1U);
    std::uint32_t rest = kFrequencyTotal;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::uint32_t width =
            weights[i] > 0 ? 1 + kWeights[weights[i]] * (kFrequencyTotal - present) / whole : 0;
        frequencies[i].width = static_cast<std::uint16_t>(width);
        rest -= width;
    }
    const auto heaviest = static_cast<std::size_t>(
        std::max_element(weights.begin(), weights.end()) - weights.begin());
    frequencies[heaviest].width = static_cast<std::uint16_t>(frequencies[heaviest].width + rest);
    std::uint32_t start = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        frequencies[i].start = static_cast<std::uint16_t>(start);
        start += frequencies[i].width;
    }
}

/// How kUniform splits a greatest u: plain low bits, and a radix for what is above them.
struct UniformSplit {
    unsigned low_bits = 0;
    std::uint32_t radix = 1;
};
[[nodiscard]] constexpr UniformSplit split_uniform(std::uint64_t greatest) {
    const auto width = static_cast<unsigned>(std::bit_width(greatest));
    const unsigned low_bits = width > 16 ? width - 16 : 0;
    return {low_bits, static_cast<std::uint32_t>(greatest >> low_bits) + 1};
}

}  // namespace kpid::storage
