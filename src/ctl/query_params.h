#pragma once
// What kpictl query asks.

#include "ctl/commands.h"
#include "kpid/base/time.h"
#include "net/url.h"

namespace kpid::ctl {

/// The parameters of an instant query, or of a range query where `start` is given: its end is then
/// `now` and its step a 250th of the range, a second at least, unless they are given too.
[[nodiscard]] net::HttpParams query_params(const QueryOptions& options, Timestamp now);

}  // namespace kpid::ctl
