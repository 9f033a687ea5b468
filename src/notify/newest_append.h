#pragma once
// The newest samples that were stored, by where they came from.

#include "kpid/model/appender.h"

#include <atomic>
#include <cstdint>
#include <limits>

namespace kpid::notify {

/// Looks at the last sample of each series of a batch only, and passes over batches that had
/// refused samples: it costs next to nothing. Thread-safe.
class NewestAppend final : public model::AppendObserver {
public:
    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

    void on_append(const model::AppendBatch& batch,
                   const model::AppendResult& result) noexcept override;
    /// Milliseconds since the epoch, or kNone.
    [[nodiscard]] std::int64_t external_ms() const { return external_.load(); }
    [[nodiscard]] std::int64_t recorded_ms() const { return recorded_.load(); }

private:
    std::atomic<std::int64_t> external_{kNone};
    std::atomic<std::int64_t> recorded_{kNone};
};

}  // namespace kpid::notify
