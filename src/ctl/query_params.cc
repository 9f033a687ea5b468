// Fills in what a range leaves open, as promtool does.
#include "ctl/query_params.h"

#include <algorithm>
#include <string>

namespace kpid::ctl {
namespace {

constexpr std::int64_t kSteps = 250;

// Nothing where a time cannot be read: the server says why.
std::string default_step(const std::string& start, const std::string& end) {
    const Result<Timestamp> from = parse_time(start);
    const Result<Timestamp> to = parse_time(end);
    if (!from || !to) {
        return "1";
    }
    return std::to_string(std::max<std::int64_t>((*to - *from).count() / 1000 / kSteps, 1));
}

}  // namespace

net::HttpParams query_params(const QueryOptions& options, Timestamp now) {
    net::HttpParams params;
    params.add("query", options.expression);
    if (!options.known_at.empty()) {
        params.add("known_at", options.known_at);
    }
    if (options.start.empty()) {
        if (!options.time.empty()) {
            params.add("time", options.time);
        }
        return params;
    }
    const std::string end = options.end.empty() ? format_rfc3339(now) : options.end;
    params.add("start", options.start);
    params.add("end", end);
    params.add("step", options.step.empty() ? default_step(options.start, end) : options.step);
    return params;
}

}  // namespace kpid::ctl
