#pragma once
// What kpictl query asks.

#include "ctl/commands.h"
#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "net/url.h"

#include <string>
#include <string_view>

namespace kpid::ctl {

/// The parameters of an instant query, or of a range query where `start` is given: its end is then
/// `now` and its step a 250th of the range, a second at least, unless they are given too.
/// kInvalidArgument for a relative time that cannot be read.
[[nodiscard]] Result<net::HttpParams> query_params(const QueryOptions& options, Timestamp now);

/// A time for the API: "now", "-6h", "now-1d" and "now+5m" are turned into RFC 3339; all else is
/// for the server to read. kInvalidArgument for a span that is none.
[[nodiscard]] Result<std::string> absolute_time(std::string_view text, Timestamp now);

}  // namespace kpid::ctl
