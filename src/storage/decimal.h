#pragma once
// Doubles as whole numbers of tenths, hundredths and so on, where that is exact; and doubles' bits
// as numbers of the same order. Every step is one correctly rounded IEEE 754 operation, so that
// every machine gets the same bits: no -ffast-math, and -ffp-contract=off.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace kpid::storage {

/// Ten to the i-th, exact as doubles.
inline constexpr std::array<double, 16> kPowersOfTen{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
inline constexpr unsigned kDecimalExponentMax = 15;
/// Whole numbers up to here have neighbours of distance 1 and halves between them.
inline constexpr double kScaledMax = 4503599627370496.0;  // 2^52

[[nodiscard]] inline std::uint64_t bits_of(double value) {
    return std::bit_cast<std::uint64_t>(value);
}

[[nodiscard]] inline bool same_bits(double a, double b) {
    return bits_of(a) == bits_of(b);
}

/// Whole numbers of 1 / power in `value`, rounded; nothing is right when |value * power| is not
/// below kScaledMax, see fits_scaled().
[[nodiscard]] inline std::int64_t scale(double value, double power) {
    const double scaled = value * power;
    return static_cast<std::int64_t>(scaled + std::copysign(0.5, scaled));
}

/// False for NaN, too.
[[nodiscard]] inline bool fits_scaled(double value, double power) {
    return std::abs(value * power) < kScaledMax;
}

/// The double next to mantissa / power.
[[nodiscard]] inline double unscale(std::int64_t mantissa, double power) {
    return static_cast<double>(mantissa) / power;
}

/// Doubles' bits as numbers that ascend as the doubles do (NaNs beyond the infinities); its own
/// inverse when applied to the number's bits.
[[nodiscard]] inline std::uint64_t ordered_bits(std::uint64_t bits) {
    return (bits >> 63) != 0 ? bits ^ (~std::uint64_t{0} >> 1) : bits;
}

/// Small numbers of either sign become small numbers; modulo 2^64, so that any is defined.
[[nodiscard]] constexpr std::uint64_t zigzag(std::uint64_t number) {
    return (number << 1) ^ (std::uint64_t{0} - (number >> 63));
}
[[nodiscard]] constexpr std::uint64_t unzigzag(std::uint64_t number) {
    return (number >> 1) ^ (std::uint64_t{0} - (number & 1));
}

}  // namespace kpid::storage
