#pragma once
// Who reads since when, so that numbers of removed things are not used again under a reader.

#include "kpid/base/mutex.h"

#include <cstdint>
#include <map>
#include <optional>

namespace kpid::storage {

/// Epochs: what is given back at epoch e may be used again when no pin of an epoch up to e is
/// held. Thread-safe.
class ReadPins {
public:
    /// Holds numbers of series for as long as it lives. Movable, ends on any thread, before its
    /// ReadPins does.
    class Pin {
    public:
        Pin(Pin&& other) noexcept : pins_(other.pins_), epoch_(other.epoch_) {
            other.pins_ = nullptr;
        }
        Pin& operator=(Pin&&) = delete;
        ~Pin() {
            if (pins_ != nullptr) {
                pins_->unpin(epoch_);
            }
        }

    private:
        friend class ReadPins;
        Pin(ReadPins& pins, std::uint64_t epoch) : pins_(&pins), epoch_(epoch) {}

        ReadPins* pins_;
        std::uint64_t epoch_;
    };

    [[nodiscard]] Pin pin();
    /// Ends the present epoch and returns it: the mark of what is given back now.
    [[nodiscard]] std::uint64_t next_epoch();
    /// Of the oldest pin.
    [[nodiscard]] std::optional<std::uint64_t> oldest() const;

private:
    void unpin(std::uint64_t epoch);

    mutable Mutex mutex_;
    std::uint64_t epoch_ KPID_GUARDED_BY(mutex_) = 0;
    std::map<std::uint64_t, std::uint64_t> pinned_ KPID_GUARDED_BY(mutex_);  // epoch -> pins
};

}  // namespace kpid::storage
