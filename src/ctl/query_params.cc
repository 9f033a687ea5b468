// Fills in what a range leaves open, as promtool does.
#include "ctl/query_params.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace kpid::ctl {
namespace {

constexpr std::int64_t kSteps = 250;
constexpr std::string_view kNow = "now";

// Nothing where a time cannot be read: the server says why.
std::string default_step(const std::string& start, const std::string& end) {
    const Result<Timestamp> from = parse_time(start);
    const Result<Timestamp> to = parse_time(end);
    if (!from || !to) {
        return "1";
    }
    return std::to_string(std::max<std::int64_t>((*to - *from).count() / 1000 / kSteps, 1));
}

Result<void> add_time(net::HttpParams& params, std::string name, const std::string& text,
                      Timestamp now) {
    if (text.empty()) {
        return {};
    }
    KPID_TRY(std::string time, absolute_time(text, now));
    params.add(std::move(name), std::move(time));
    return {};
}

}  // namespace

Result<std::string> absolute_time(std::string_view text, Timestamp now) {
    const std::string_view whole = text;
    const bool is_relative = text.starts_with(kNow);
    if (is_relative) {
        text.remove_prefix(kNow.size());
        if (text.empty()) {
            return format_rfc3339(now);
        }
    }
    const bool is_back = text.starts_with('-');
    if (!is_back && !(is_relative && text.starts_with('+'))) {
        // A number below zero is a span back; others are times.
        return std::string(whole);
    }
    const Result<Duration> span = parse_duration(text.substr(1));
    if (!span) {
        return invalid_argument(
            fmt::format("\"{}\" is no time: relative ones are as -6h, now or now-1d12h", whole));
    }
    return format_rfc3339(is_back ? now - *span : now + *span);
}

Result<net::HttpParams> query_params(const QueryOptions& options, Timestamp now) {
    net::HttpParams params;
    params.add("query", options.expression);
    KPID_CHECK_OK(add_time(params, "known_at", options.known_at, now));
    if (options.start.empty()) {
        KPID_CHECK_OK(add_time(params, "time", options.time, now));
        return params;
    }
    KPID_TRY(const std::string start, absolute_time(options.start, now));
    KPID_TRY(const std::string end, absolute_time(options.end.empty() ? kNow : options.end, now));
    params.add("start", start);
    params.add("end", end);
    params.add("step", options.step.empty() ? default_step(start, end) : options.step);
    return params;
}

}  // namespace kpid::ctl
