#pragma once
// Where evaluation hands its alerts: implemented by Notifier, and by a collector in tests.

#include "kpid/alerting/alert.h"
#include "kpid/base/result.h"
#include "kpid/model/state_store.h"

#include <span>

namespace kpid::notify {

/// Takes alerts that started, changed or ended. Thread-safe.
class AlertSink {
public:
    virtual ~AlertSink() = default;
    /// Takes `alerts` and makes `also` (the caller's state) durable in the same atomic write, then
    /// begins delivery. The same firing alert again changes nothing, so that after a start all
    /// active alerts can be handed over. Blocks for the write: worker threads only. On an error
    /// nothing was taken or written.
    [[nodiscard]] virtual Result<void> submit(Timestamp now,
                                              std::span<const alerting::Alert> alerts,
                                              std::span<const model::StateWrite> also) = 0;
};

}  // namespace kpid::notify
