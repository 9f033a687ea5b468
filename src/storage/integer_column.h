#pragma once
// A column of whole numbers, compressed: differences, a common unit, and an entropy coder (format
// in README.md). Numbers are 64 bits of either sign; all arithmetic is modulo 2^64.

#include "storage/chunk_bytes.h"
#include "storage/entropy_coder.h"
#include "storage/integer_classes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kpid::storage {

/// Finds how a column is told best, then writes it.
class IntegerEncoder {
public:
    /// At least one number, at most kChunkSamplesMax; they outlive the encoder. `try_line`: also as
    /// distances from a straight line, for times.
    IntegerEncoder(std::span<const std::int64_t> numbers, bool try_line);

    /// What append_to() will append, about.
    [[nodiscard]] double estimated_bits() const { return plan_.bits; }
    void append_to(std::string& out) const;

private:
    struct Plan {
        double bits = 0;
        IntegerOrder order = IntegerOrder::kNumber;
        IntegerModel model = IntegerModel::kUniform;
        unsigned granularity = 0;
        std::uint64_t base = 0;
        std::uint64_t unit = 1;
        std::uint64_t greatest = 0;  ///< Of u.
    };

    void consider(IntegerOrder order);
    void consider_classes(Plan plan);
    void take_if_smaller(const Plan& plan);
    void append_parameters(std::string& out) const;
    void append_uniform(std::string& out, std::span<const std::uint64_t> left) const;
    void append_classes(std::string& out, std::span<const std::uint64_t> left) const;

    std::span<const std::int64_t> numbers_;
    std::vector<std::uint64_t> left_;
    std::vector<std::uint64_t> sorting_;
    Plan plan_;
};

/// Reads a column back, in blocks.
class IntegerDecoder {
public:
    /// Takes all that `reader` has; its bytes stay until the last read(). kDataLoss when the
    /// parameters make no sense. `count` is at least 1.
    [[nodiscard]] Result<void> open(ChunkReader& reader, std::size_t count);
    /// The next numbers; `count` of them in all.
    void read(std::span<std::int64_t> numbers);
    /// After the last number: whether an encoder wrote these bytes.
    [[nodiscard]] bool finished() const { return coder_.finished(); }

private:
    struct Class {
        std::uint64_t first = 0;
        Frequency frequency;
        std::uint8_t bits = 0;
    };

    [[nodiscard]] Result<void> open_classes(ChunkReader& reader, unsigned granularity);
    void read_left(std::span<std::int64_t> left);
    void read_uniform(std::span<std::int64_t> left);
    template <bool kEitherSign>
    void read_classes(std::span<std::int64_t> left);

    IntegerOrder order_ = IntegerOrder::kNumber;
    IntegerModel model_ = IntegerModel::kUniform;
    std::uint64_t base_ = 0;
    std::uint64_t unit_ = 1;
    UniformSplit split_;
    EntropyDecoder coder_{{}, 1};
    // Where the integration stands.
    std::uint64_t position_ = 0;
    std::uint64_t previous_ = 0;
    std::uint64_t difference_ = 0;
    // By share of kFrequencyTotal: the class.
    std::array<std::uint8_t, kFrequencyTotal> slots_;
    std::array<Class, kClassesMax> classes_;
};

}  // namespace kpid::storage
