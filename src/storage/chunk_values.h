#pragma once
// The values of a chunk as bytes: whole numbers of decimals where that is exact, else sums of such,
// else the doubles' bits (format in README.md).

#include "storage/chunk_bytes.h"
#include "storage/decimal.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace kpid::storage {

/// How the values of a chunk are told.
enum class ValueForm : std::uint8_t {
    kDecimal = 0,  ///< A whole number divided by a power of ten.
    kSum = 1,      ///< The value before plus such a number, in floating point.
    kBits = 2,     ///< The double's bits, as a number of the same order.
};

/// Appends them; 1 to kChunkSamplesMax.
void append_values(std::span<const double> values, std::string& out);
/// Fills `values`; takes all that `reader` has. kDataLoss when it is not what append_values()
/// wrote.
[[nodiscard]] Result<void> read_values(ChunkReader& reader, std::span<double> values);

/// Values that are told apart from the rest, at places of a chunk.
enum class SpecialValue : std::uint8_t {
    kStale = 0,
    kNan = 1,  ///< 0x7FF8000000000001, what Prometheus writes.
    kPlusInfinity = 2,
    kMinusInfinity = 3,
    kMinusZero = 4,
    kQuietNan = 5,  ///< 0x7FF8000000000000, what processors make.
    kOther = 7,     ///< Its bits follow.
};
/// Whether it is never a number of a decimal form, nor one that a sum goes on from.
[[nodiscard]] inline bool is_special(double value) {
    return !std::isfinite(value) || same_bits(value, -0.0);
}
[[nodiscard]] constexpr std::uint64_t special_bits(SpecialValue value) {
    switch (value) {
        case SpecialValue::kStale:
            return 0x7FF0000000000002ULL;
        case SpecialValue::kNan:
            return 0x7FF8000000000001ULL;
        case SpecialValue::kPlusInfinity:
            return 0x7FF0000000000000ULL;
        case SpecialValue::kMinusInfinity:
            return 0xFFF0000000000000ULL;
        case SpecialValue::kMinusZero:
            return 0x8000000000000000ULL;
        case SpecialValue::kQuietNan:
            return 0x7FF8000000000000ULL;
        case SpecialValue::kOther:
            break;
    }
    return 0;
}

}  // namespace kpid::storage
