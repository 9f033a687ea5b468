#pragma once
// The newest samples of one series as columns that move forward.

#include "kpid/model/reader.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace kpid::storage {

/// Samples are put behind the last and taken away before the first; both cost little. Not
/// synchronised.
class KeptWindow {
public:
    /// Behind all that are there; ascending.
    void append(std::span<const Timestamp> times, std::span<const double> values);
    /// Forgets samples before `time`; their room is used again.
    void drop_before(Timestamp time) {
        while (begin_ < end_ && times_[begin_] < time) {
            ++begin_;
        }
    }

    struct Columns {
        std::span<const Timestamp> times;
        std::span<const double> values;
    };
    /// Until the next change.
    [[nodiscard]] Columns in(model::TimeRange range) const;
    [[nodiscard]] std::size_t size() const { return end_ - begin_; }
    /// Samples that there is room for.
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    /// For who soon reads or appends.
    void prefetch() const {
        __builtin_prefetch(times_.get() + begin_);
        __builtin_prefetch(values_.get() + begin_);
    }

private:
    static constexpr std::uint32_t kFirstCapacity = 8;
    void make_room(std::size_t count);

    std::unique_ptr<Timestamp[]> times_;
    std::unique_ptr<double[]> values_;
    std::uint32_t begin_ = 0;
    std::uint32_t end_ = 0;
    std::uint32_t capacity_ = 0;
};

}  // namespace kpid::storage
