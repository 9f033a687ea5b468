#pragma once
// The samples of one series that still grows, compressed in memory byte by byte.

#include "kpid/base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace kpid::storage {

/// Samples of one open chunk; so its bytes stay below 64 KiB.
inline constexpr std::size_t kOpenChunkSamplesMax = 2'048;

/// Grows at its end only: 40 bytes and one buffer. The first sample takes 16 bytes of it, another
/// at a steady interval whose value moves by a small whole or decimal step takes one, any other
/// takes at most 22. A late sample is merged by decode() and a new chunk. Not synchronised: one
/// writer, and no reader meanwhile.
class OpenChunk {
public:
    OpenChunk() = default;
    /// What was moved from is empty.
    OpenChunk(OpenChunk&& other) noexcept { swap(other); }
    OpenChunk& operator=(OpenChunk&& other) noexcept {
        OpenChunk taken(std::move(other));
        swap(taken);
        return *this;
    }
    OpenChunk(const OpenChunk&) = delete;
    OpenChunk& operator=(const OpenChunk&) = delete;
    ~OpenChunk() = default;

    /// False, and nothing done, when `time` is before the last or the chunk is full. Equal times
    /// are kept both; whoever calls compares with last_time() and last_value() before. Every bit
    /// of the value is kept.
    [[nodiscard]] bool append(Timestamp time, double value);
    /// Appends all samples, or those from a time on, to both columns, in order.
    void decode(std::vector<Timestamp>& times, std::vector<double>& values,
                Timestamp from = Timestamp::min()) const;
    /// Gives back what append() reserved beyond the samples.
    void shrink();

    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    /// The three are there when not empty().
    [[nodiscard]] Timestamp first_time() const;
    [[nodiscard]] Timestamp last_time() const { return Timestamp(cursor_.time); }
    [[nodiscard]] double last_value() const { return cursor_.value; }
    /// The one before the last, where that is known without decoding.
    [[nodiscard]] std::optional<Timestamp> time_before_last() const {
        return count_ > 1 && cursor_.interval != 0
                   ? std::optional(Timestamp(cursor_.time - cursor_.interval))
                   : std::nullopt;
    }
    /// Bytes of samples, and bytes on the heap, without the allocator's own.
    [[nodiscard]] std::size_t size_bytes() const { return size_; }
    [[nodiscard]] std::size_t capacity_bytes() const { return capacity_; }

private:
    // What the next sample is told against; writer and reader step it alike.
    struct Cursor {
        std::int64_t time = 0;
        double value = 0;
        std::uint32_t interval = 0;  // Between the last two times, 0 when it does not fit.
        std::uint8_t exponent = 0;   // Decimals that value steps count in.
        std::uint8_t misses = 0;     // Values for which no exponent was found; the writer's own.
    };
    class Reader;

    void swap(OpenChunk& other) noexcept;
    void append_first(std::int64_t time, double value);
    void append_long(std::int64_t time, double value);
    void put(const std::uint8_t* bytes, std::size_t size);
    void resize_buffer(std::size_t capacity);
    static void step_time(Cursor& cursor, std::int64_t time);

    std::unique_ptr<std::uint8_t[]> bytes_;
    Cursor cursor_;
    std::uint16_t size_ = 0;
    std::uint16_t capacity_ = 0;
    std::uint16_t count_ = 0;
};

}  // namespace kpid::storage
