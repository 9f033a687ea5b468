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
    /// active alerts can be handed over. A key of `also` has one caller, who calls one at a time.
    /// Blocks for the write: worker threads only.
    ///
    /// On an error nothing is durable or delivered yet: both are kept in memory and written
    /// together with the next write, so the caller may give the same or something newer again. Only
    /// `also` that can never be stored (kInvalidArgument) is not kept. `now`: when the alerts were
    /// judged.
    [[nodiscard]] virtual Result<void> submit(Timestamp now,
                                              std::span<const alerting::Alert> alerts,
                                              std::span<const model::StateWrite> also) = 0;
};

}  // namespace kpid::notify
