#pragma once
// Calendar periods in UTC: where they begin and end.

#include "config/metrics.h"
#include "kpid/base/time.h"

namespace kpid::ingest {

/// The start of the period that `at` is in; weeks begin on Monday. Pure.
[[nodiscard]] Timestamp period_start(config::Period period, Timestamp at);
/// The end of the period that begins at `start`: the start of the next one.
[[nodiscard]] Timestamp period_end(config::Period period, Timestamp start);

}  // namespace kpid::ingest
