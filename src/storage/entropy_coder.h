#pragma once
// Symbols to bits at what they are worth, fractions of a bit included: a range variant of
// asymmetric numeral systems (J. Duda, arXiv:1311.2540, section 4.3), with a state of 64 bits.
//
// What is pushed last is popped first. The state begins as 1 and grows by log2(1 / probability)
// with each symbol; above its range it gives away 32 bits. The range's lower end is a multiple of
// every divisor in use, so that the decoder takes 32 bits exactly where the encoder gave them.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// A symbol's share of kFrequencyTotal: its width, and the sum of those before it.
struct Frequency {
    std::uint16_t width = 0;
    std::uint16_t start = 0;
};
inline constexpr unsigned kFrequencyBits = 11;
inline constexpr std::uint32_t kFrequencyTotal = 1U << kFrequencyBits;
/// Largest number of equally likely symbols.
inline constexpr std::uint32_t kRadixMax = 1U << 16;
/// Bits that are pushed or popped at once.
inline constexpr unsigned kRawBitsMax = 16;

namespace detail {
/// The lower end of the state's range: a multiple of `radix` and of 2^16; with radix 1, 2^32.
inline std::uint64_t state_low(std::uint32_t radix) {
    return static_cast<std::uint64_t>(kRadixMax / radix * radix) << 16;
}
inline constexpr std::size_t kWordBytes = 4;
inline constexpr std::size_t kStateBytes = 8;
/// With words behind it, the state has at least as many bytes: so the size tells them apart.
inline constexpr std::size_t kStateBytesMin = 5;
}  // namespace detail

/// Takes symbols from the last to the first. One radix, or frequencies with radix 1.
class EntropyEncoder {
public:
    explicit EntropyEncoder(std::uint32_t radix) : radix_(radix), low_(detail::state_low(radix)) {}

    /// `symbol` < radix, all equally likely.
    void push_uniform(std::uint32_t symbol) {
        if (radix_ == 1) {
            return;
        }
        give((low_ / radix_) << 32);
        state_ = state_ * radix_ + symbol;
    }
    /// The low `count` bits, at most kRawBitsMax; nothing above them is set.
    void push_bits(std::uint64_t bits, unsigned count) {
        give((low_ >> count) << 32);
        state_ = (state_ << count) | bits;
    }
    void push_symbol(Frequency symbol) {
        if (symbol.width == kFrequencyTotal) {
            return;
        }
        give(((low_ >> kFrequencyBits) * symbol.width) << 32);
        state_ = ((state_ / symbol.width) << kFrequencyBits) + state_ % symbol.width + symbol.start;
    }
    /// Any number of bits up to 64; popped by EntropyDecoder::pop_wide().
    void push_wide(std::uint64_t bits, unsigned count) {
        const unsigned last = count % kRawBitsMax;
        if (last > 0) {
            push_bits(bits & ((1ULL << last) - 1), last);
            bits >>= last;
        }
        for (unsigned done = last; done < count; done += kRawBitsMax) {
            push_bits(bits & (kRadixMax - 1), kRawBitsMax);
            bits >>= kRawBitsMax;
        }
    }

    /// Appends what a decoder reads: the state's bytes, then words of 32 bits, last given first.
    void append_to(std::string& out) const {
        std::size_t size = (static_cast<std::size_t>(std::bit_width(state_)) + 7) / 8;
        if (!words_.empty() && size < detail::kStateBytesMin) {
            size = detail::kStateBytesMin;
        }
        for (std::size_t i = 0; i < size; ++i) {
            out.push_back(static_cast<char>(state_ >> (8 * i)));
        }
        for (std::size_t i = words_.size(); i > 0; --i) {
            for (unsigned byte = 0; byte < detail::kWordBytes; ++byte) {
                out.push_back(static_cast<char>(words_[i - 1] >> (8 * byte)));
            }
        }
    }

private:
    // Makes room for a step that is defined below `limit`.
    void give(std::uint64_t limit) {
        if (state_ >= limit) {
            words_.push_back(static_cast<std::uint32_t>(state_));
            state_ >>= 32;
        }
    }

    std::uint32_t radix_;
    std::uint64_t low_;
    std::uint64_t state_ = 1;
    std::vector<std::uint32_t> words_;
};

/// Gives the symbols from the first to the last. Any bytes are read without harm; whether they
/// were an encoder's shows at the end.
class EntropyDecoder {
public:
    EntropyDecoder(std::string_view bytes, std::uint32_t radix)
        : low_(detail::state_low(radix)), radix_(radix) {
        const std::size_t size =
            bytes.size() <= detail::kStateBytes
                ? bytes.size()
                : detail::kStateBytesMin +
                      (bytes.size() - detail::kStateBytesMin) % detail::kWordBytes;
        for (std::size_t i = 0; i < size; ++i) {
            state_ |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
        }
        next_ = bytes.data() + size;
        end_ = bytes.data() + bytes.size();
        // Division by multiplication: T. Granlund, P. Montgomery, "Division by Invariant Integers
        // using Multiplication", PLDI 1994, figure 4.1.
        shift_ = static_cast<unsigned>(std::bit_width(radix - 1));
        const Wide above = ((Wide{1} << shift_) - radix) << 64;
        reciprocal_ = static_cast<std::uint64_t>(above / radix) + 1;
    }

    [[nodiscard]] std::uint32_t pop_uniform() {
        if (radix_ == 1) {
            return 0;
        }
        const auto high = static_cast<std::uint64_t>((Wide{reciprocal_} * state_) >> 64);
        const std::uint64_t quotient = (high + ((state_ - high) >> 1)) >> (shift_ - 1);
        const std::uint64_t symbol = state_ - quotient * radix_;
        state_ = quotient;
        take();
        return static_cast<std::uint32_t>(symbol);
    }
    [[nodiscard]] std::uint64_t pop_bits(unsigned count) {
        const std::uint64_t bits = state_ & ((1ULL << count) - 1);
        state_ >>= count;
        take();
        return bits;
    }
    /// Where the next symbol's share lies: below kFrequencyTotal.
    [[nodiscard]] std::uint32_t peek_symbol() const {
        return static_cast<std::uint32_t>(state_ & (kFrequencyTotal - 1));
    }
    void drop_symbol(Frequency symbol) {
        state_ = symbol.width * (state_ >> kFrequencyBits) + (state_ & (kFrequencyTotal - 1)) -
                 symbol.start;
        take();
    }
    [[nodiscard]] std::uint64_t pop_wide(unsigned count) {
        std::uint64_t bits = 0;
        for (; count >= kRawBitsMax; count -= kRawBitsMax) {
            bits = (bits << kRawBitsMax) | pop_bits(kRawBitsMax);
        }
        return count > 0 ? (bits << count) | pop_bits(count) : bits;
    }

    /// After the last symbol: whether exactly what an encoder wrote was read.
    [[nodiscard]] bool finished() const { return state_ == 1 && next_ == end_; }

private:
    __extension__ using Wide = unsigned __int128;

    void take() {
        if (state_ < low_ && next_ != end_) {
            std::uint64_t word = 0;
            for (unsigned i = 0; i < detail::kWordBytes; ++i) {
                word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(next_[i])) << (8 * i);
            }
            next_ += detail::kWordBytes;
            state_ = (state_ << 32) | word;
        }
    }

    std::uint64_t state_ = 0;
    std::uint64_t low_;
    const char* next_;
    const char* end_;
    std::uint64_t reciprocal_ = 0;
    std::uint32_t radix_;
    unsigned shift_ = 0;
};

}  // namespace kpid::storage
