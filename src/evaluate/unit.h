#pragma once
// Something that is evaluated again and again: a KPI or a rule group.

#include "kpid/base/clock.h"

#include <string>

namespace kpid::evaluate {

/// Evaluated by the Scheduler, on a worker thread, never twice at once.
class Unit {
public:
    virtual ~Unit() = default;
    /// For logs and for the hash that spreads evaluations over the interval; never changes.
    [[nodiscard]] virtual const std::string& name() const = 0;
    /// Above zero. Thread-safe.
    [[nodiscard]] virtual Duration interval() const = 0;
    /// One evaluation at `now`. `cause_accepted_at`: when the sample that asked for it was
    /// accepted; the epoch for an evaluation by interval. Blocks for queries and writes. Must not
    /// throw.
    virtual void evaluate(Timestamp now, MonoTime cause_accepted_at) = 0;
    /// It was removed and its end is handed over: it needs no further evaluation. Thread-safe.
    [[nodiscard]] virtual bool gone() const = 0;
};

}  // namespace kpid::evaluate
