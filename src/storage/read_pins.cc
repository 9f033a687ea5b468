#include "storage/read_pins.h"

namespace kpid::storage {

ReadPins::Pin ReadPins::pin() {
    const MutexLock lock(mutex_);
    ++pinned_[epoch_];
    return {*this, epoch_};
}

std::uint64_t ReadPins::next_epoch() {
    const MutexLock lock(mutex_);
    return epoch_++;
}

std::optional<std::uint64_t> ReadPins::oldest() const {
    const MutexLock lock(mutex_);
    return pinned_.empty() ? std::nullopt : std::optional(pinned_.begin()->first);
}

void ReadPins::unpin(std::uint64_t epoch) {
    const MutexLock lock(mutex_);
    const auto pinned = pinned_.find(epoch);
    if (--pinned->second == 0) {
        pinned_.erase(pinned);
    }
}

}  // namespace kpid::storage
