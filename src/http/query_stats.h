#pragma once
// What a query cost, as Prometheus shows it with `stats=`.

#include "kpid/base/clock.h"
#include "kpid/base/time.h"
#include "kpid/promql/engine.h"

#include <string>

namespace kpid::http {

/// The phases of one query.
struct QueryTimings {
    MonoTime arrived;
    MonoTime begun;      ///< A worker took it.
    MonoTime prepared;   ///< Parsed.
    MonoTime evaluated;  ///< The value was there.
};

/// The query's steps: one of them for an instant query.
struct QuerySteps {
    Timestamp start;
    Duration step{0};
};

/// `{"timings":{…},"samples":{…}}`; counts step by step only where `per_step`.
[[nodiscard]] std::string query_stats_json(const QueryTimings& timings,
                                           const promql::QueryStatistics& counts,
                                           const QuerySteps& steps, bool per_step);

}  // namespace kpid::http
