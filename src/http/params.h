#pragma once
// Prometheus' request parameters: times, durations, matchers; errors worded as Prometheus words
// them.

#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/matcher.h"
#include "kpid/model/reader.h"
#include "net/http_message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::http {

/// `invalid parameter "<name>": <why>`.
[[nodiscard]] Error bad_parameter(std::string_view name, std::string_view why);
/// RFC 3339 or Unix seconds; `fallback` when absent.
[[nodiscard]] Result<Timestamp> time_param(const net::HttpParams& params, std::string_view name,
                                           Timestamp fallback);
/// The same; nothing when absent.
[[nodiscard]] Result<std::optional<Timestamp>> optional_time_param(const net::HttpParams& params,
                                                                   std::string_view name);
/// Seconds with a fraction or a Prometheus duration.
[[nodiscard]] Result<Duration> parse_duration_param(std::string_view text);
/// `start` and `end`; all of time when absent. The end may lie before the start: then nothing is in
/// the range.
[[nodiscard]] Result<model::TimeRange> range_params(const net::HttpParams& params);
/// Each `match[]` as matchers; errors in Prometheus' words without the parameter's name, which some
/// endpoints put before them (`bad_parameter`).
[[nodiscard]] Result<std::vector<std::vector<model::Matcher>>> match_params(
    const net::HttpParams& params);
/// The same; errors name the parameter.
[[nodiscard]] Result<std::vector<std::vector<model::Matcher>>> named_match_params(
    const net::HttpParams& params);
/// A label name of a path: what begins with U__ is Prometheus' way to write other names than
/// `[a-zA-Z_][a-zA-Z0-9_]*` there: `__` is an underscore, `_2e_` the character with that number.
/// An error for what is no label name.
[[nodiscard]] Result<std::string> label_name_param(std::string_view text);
/// `limit`: 0 is no bound.
[[nodiscard]] Result<std::size_t> limit_param(const net::HttpParams& params);
/// Go's ParseBool; false when absent. The error is Prometheus' text behind `<prefix>: `.
[[nodiscard]] Result<bool> bool_param(const net::HttpParams& params, std::string_view name,
                                      std::string_view prefix);
/// An integer as Go's Atoi takes it; nothing when absent. The error is Go's text.
[[nodiscard]] Result<std::optional<std::int64_t>> integer_param(const net::HttpParams& params,
                                                                std::string_view name);

}  // namespace kpid::http
