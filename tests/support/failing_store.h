#pragma once
// A state store that refuses writes from a given one on: full disks, and crashes between two
// writes.

#include "kpid/base/mutex.h"
#include "kpid/model/state_store.h"
#include "support/memory_storage.h"

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::testing {

/// Keeps the promises of MemoryStorage until it is told to stop. A refused write leaves no trace.
/// Thread-safe.
class FailingStore final : public model::StateStore {
public:
    [[nodiscard]] Result<void> write(std::span<const model::StateWrite> writes) override {
        const MutexLock lock(mutex_);
        if (remaining_ == 0) {
            ++refused_;
            return error_;
        }
        --remaining_;
        ++written_;
        return storage_.write(writes);
    }
    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override {
        return storage_.get(key);
    }
    [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> scan(
        std::string_view prefix, std::size_t limit) const override {
        return storage_.scan(prefix, limit);
    }

    void fail_after(std::size_t writes, Error error = unavailable("disk full")) {
        const MutexLock lock(mutex_);
        remaining_ = writes;
        error_ = std::move(error);
    }
    void recover() { fail_after(std::numeric_limits<std::size_t>::max()); }
    [[nodiscard]] std::size_t written() const {
        const MutexLock lock(mutex_);
        return written_;
    }
    [[nodiscard]] std::size_t refused() const {
        const MutexLock lock(mutex_);
        return refused_;
    }
    [[nodiscard]] std::size_t size(std::string_view prefix) const {
        return scan(prefix, 1'000'000)->size();
    }

private:
    MemoryStorage storage_;
    mutable Mutex mutex_;
    std::size_t remaining_ KPID_GUARDED_BY(mutex_) = std::numeric_limits<std::size_t>::max();
    std::size_t written_ KPID_GUARDED_BY(mutex_) = 0;
    std::size_t refused_ KPID_GUARDED_BY(mutex_) = 0;
    Error error_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::testing
