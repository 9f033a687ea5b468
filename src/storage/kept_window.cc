#include "storage/kept_window.h"

#include <algorithm>

namespace kpid::storage {

void KeptWindow::append(std::span<const Timestamp> times, std::span<const double> values) {
    if (capacity_ - end_ < times.size()) {
        make_room(times.size());
    }
    std::copy(times.begin(), times.end(), times_.get() + end_);
    std::copy(values.begin(), values.end(), values_.get() + end_);
    end_ += static_cast<std::uint32_t>(times.size());
}

// Moves to the front when that frees a quarter of the room at least, so that a sample is moved a
// few times in its life, else grows.
void KeptWindow::make_room(std::size_t count) {
    const std::size_t kept = size();
    const bool is_roomy = kept + count <= capacity_ - capacity_ / 4;
    if (is_roomy) {
        std::move(times_.get() + begin_, times_.get() + end_, times_.get());
        std::move(values_.get() + begin_, values_.get() + end_, values_.get());
    } else {
        // A window that moves on needs a quarter more than it holds.
        const std::size_t wanted = (kept + count) * 4 / 3 + 1;
        const std::size_t capacity = std::max<std::size_t>(kFirstCapacity, (wanted + 7) / 8 * 8);
        auto fresh_times = std::make_unique_for_overwrite<Timestamp[]>(capacity);
        auto fresh_values = std::make_unique_for_overwrite<double[]>(capacity);
        std::copy(times_.get() + begin_, times_.get() + end_, fresh_times.get());
        std::copy(values_.get() + begin_, values_.get() + end_, fresh_values.get());
        times_ = std::move(fresh_times);
        values_ = std::move(fresh_values);
        capacity_ = static_cast<std::uint32_t>(capacity);
    }
    begin_ = 0;
    end_ = static_cast<std::uint32_t>(kept);
}

KeptWindow::Columns KeptWindow::in(model::TimeRange range) const {
    // Nearly always the ends are the window's, or close to them.
    std::uint32_t begin = begin_;
    while (begin < end_ && times_[begin] < range.start) {
        ++begin;
    }
    std::uint32_t end = end_;
    while (end > begin && times_[end - 1] > range.end) {
        --end;
    }
    return {{times_.get() + begin, times_.get() + end},
            {values_.get() + begin, values_.get() + end}};
}

}  // namespace kpid::storage
