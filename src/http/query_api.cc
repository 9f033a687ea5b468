// The query endpoints.
#include "http/query_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

namespace kpid::http {
namespace {

constexpr std::int64_t kPointsMax = 11'000;

// Prometheus answers 422 where a query is too large for the limits, and names its timeout.
Error query_error(const Error& error, const QueryWatchdog::Watch& watch) {
    if (watch.expired()) {
        return Error{Code::kDeadlineExceeded, "query timed out in expression evaluation"};
    }
    if (error.code == Code::kResourceExhausted) {
        return Error{Code::kUnprocessable, error.message};
    }
    return error;
}

Result<promql::ExprPtr> parse_query(const net::HttpParams& params,
                                    const evaluate::Snapshot& snapshot) {
    Result<promql::ExprPtr> expr =
        promql::parse_expr(params.get_or("query", ""), snapshot.config->parse_options);
    if (!expr) {
        return bad_parameter("query", expr.error().message);
    }
    return expr;
}

// Before the first sample is read: whether there is still time, and somebody who waits.
Result<void> check_begin(const QueryCaller& caller, MonoTime now, Duration timeout) {
    if (caller.gone.stop_requested()) {
        return Error{Code::kCancelled, "query was canceled in query queue"};
    }
    if (now - caller.arrived >= timeout) {
        return Error{Code::kDeadlineExceeded, "query timed out in query queue"};
    }
    return {};
}

Result<std::optional<Duration>> lookback_param(const net::HttpParams& params) {
    const std::string_view text = params.get_or("lookback_delta", "");
    if (text.empty()) {
        return std::optional<Duration>();
    }
    const Result<Duration> lookback = parse_duration_param(text);
    if (!lookback) {
        return invalid_argument("error parsing lookback delta duration: " +
                                lookback.error().message);
    }
    // As in Prometheus, what is not above 0 means the usual one.
    return *lookback > Duration(0) ? std::optional<Duration>(*lookback) : std::nullopt;
}

// The start or end of a range query, which must be there; Prometheus' words differ from those of a
// time that may be left out.
Result<Timestamp> bound_param(const net::HttpParams& params, std::string_view name) {
    const std::string_view text = params.get_or(name, "");
    if (text.empty()) {
        return bad_parameter(name, "cannot parse \"\" to a valid timestamp");
    }
    Result<Timestamp> time = time_param(params, name, Timestamp());
    return time ? std::move(time) : bad_parameter(name, parse_time(text).error().message);
}

constexpr std::string_view kTruncated = "results truncated due to limit";
constexpr std::string_view kStatsPerStep = "all";

// Keeps the first `limit` series; 0 keeps all.
void truncate(promql::QueryResult& result, std::size_t limit) {
    const auto cut = [&](auto& series) {
        if (limit != 0 && series.size() > limit) {
            series.erase(series.begin() + static_cast<std::ptrdiff_t>(limit), series.end());
            result.warnings.emplace_back(kTruncated);
        }
    };
    if (auto* vector = std::get_if<promql::Vector>(&result.value)) {
        cut(*vector);
    } else if (auto* matrix = std::get_if<promql::Matrix>(&result.value)) {
        cut(*matrix);
    }
}

Result<Duration> timeout_param(const net::HttpParams& params, const evaluate::Snapshot& snapshot) {
    // Queue included, as in Prometheus.
    const Duration limit = snapshot.config->limits.query_timeout;
    const auto text = params.get("timeout");
    if (!text || text->empty()) {
        return limit;
    }
    Result<Duration> timeout = parse_duration_param(*text);
    if (!timeout) {
        return bad_parameter("timeout", timeout.error().message);
    }
    return std::min(*timeout, limit);
}

// Prometheus shows them for any text, and warns of all but these.
std::optional<std::string> stats_warning(std::string_view stats) {
    if (stats.empty() || stats == "true" || stats == kStatsPerStep) {
        return std::nullopt;
    }
    return fmt::format(
        "value {} for parameter \"stats\" is deprecated and will be rejected in the next major "
        "release, use \"true\" or \"all\"",
        promql::quote_string(stats));
}

// As in Prometheus, a range that ends before it begins is no error.
bool is_empty(const model::TimeRange& range) {
    return range.end < range.start;
}

using ReadStrings =
    std::function<Result<std::vector<std::string>>(std::span<const model::Matcher>)>;

// The union over all sets of matchers; without any, over all series.
Result<std::vector<std::string>> union_of(const std::vector<std::vector<model::Matcher>>& sets,
                                          const ReadStrings& read) {
    if (sets.empty()) {
        return read({});
    }
    std::set<std::string> all;
    for (const std::vector<model::Matcher>& matchers : sets) {
        KPID_TRY(std::vector<std::string> some, read(matchers));
        all.insert(some.begin(), some.end());
    }
    return std::vector<std::string>(all.begin(), all.end());
}

}  // namespace

net::HttpResponse QueryApi::answer(std::unique_ptr<AnswerPart> part,
                                   const Annotations& annotations) const {
    return text_answer(net::media_type::kJson, enveloped("", std::move(part), "", annotations),
                       writers_);
}

net::HttpResponse QueryApi::answer_strings(std::vector<std::string> strings,
                                           std::size_t limit) const {
    Annotations annotations;
    if (limit != 0 && strings.size() > limit) {
        strings.resize(limit);
        annotations.warnings.emplace_back(kTruncated);
    }
    return answer(strings_part(std::move(strings)), annotations);
}

Result<net::HttpResponse> QueryApi::run(const net::HttpParams& params, const QueryCaller& caller,
                                        const QuerySteps& steps, const Ask& ask) const {
    QueryTimings timings{.arrived = caller.arrived, .begun = clock_.mono_now()};
    const evaluate::Snapshot snapshot = evaluator_.snapshot();
    KPID_TRY(const Duration timeout, timeout_param(params, snapshot));
    KPID_TRY(const std::optional<Duration> lookback, lookback_param(params));
    KPID_TRY(const std::optional<Timestamp> known_at, optional_time_param(params, "known_at"));
    KPID_TRY(const std::size_t limit, limit_param(params));
    KPID_TRY(const promql::ExprPtr expr, parse_query(params, snapshot));
    timings.prepared = clock_.mono_now();
    KPID_CHECK_OK(check_begin(caller, timings.prepared, timeout));
    const std::string_view stats = params.get_or("stats", "");
    promql::QueryStatistics counts;
    const QueryWatchdog::Watch watch(watchdog_, caller.arrived + timeout, caller.gone);
    Result<promql::QueryResult> result = ask(*snapshot.engine, *expr,
                                             {.stop = watch.token(),
                                              .lookback = lookback,
                                              .known_at = known_at,
                                              .text = params.get_or("query", ""),
                                              .statistics = stats.empty() ? nullptr : &counts});
    if (!result) {
        return query_error(result.error(), watch);
    }
    timings.evaluated = clock_.mono_now();
    truncate(*result, limit);
    if (std::optional<std::string> warning = stats_warning(stats)) {
        result->warnings.push_back(*std::move(warning));
    }
    const std::string head =
        fmt::format(R"({{"resultType":"{}","result":)", promql::value_type_name(result->value));
    const std::string tail =
        stats.empty()
            ? "}"
            : ",\"stats\":" + query_stats_json(timings, counts, steps, stats == kStatsPerStep) +
                  "}";
    return text_answer(net::media_type::kJson,
                       enveloped(head, result_part(std::move(result->value)), tail,
                                 {std::move(result->warnings), std::move(result->infos)}),
                       writers_);
}

Result<net::HttpResponse> QueryApi::query(const net::HttpParams& params,
                                          const QueryCaller& caller) const {
    KPID_TRY(const Timestamp time, time_param(params, "time", clock_.wall_now()));
    return run(params, caller, {.start = time},
               [&](const promql::Engine& engine, const promql::Expr& expr,
                   const promql::QueryContext& context) {
                   return engine.instant(expr, time, reader_, context);
               });
}

Result<net::HttpResponse> QueryApi::query_range(const net::HttpParams& params,
                                                const QueryCaller& caller) const {
    KPID_TRY(const Timestamp start, bound_param(params, "start"));
    KPID_TRY(const Timestamp end, bound_param(params, "end"));
    if (end < start) {
        return bad_parameter("end", "end timestamp must not be before start time");
    }
    const Result<Duration> step = parse_duration_param(params.get_or("step", ""));
    if (!step) {
        return bad_parameter("step", step.error().message);
    }
    if (step->count() <= 0) {
        return bad_parameter(
            "step",
            "zero or negative query resolution step widths are not accepted. Try a "
            "positive integer");
    }
    if ((end - start) / *step > kPointsMax) {
        return invalid_argument(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
            "resolution (?step=XX)");
    }
    return run(params, caller, {.start = start, .step = *step},
               [&](const promql::Engine& engine, const promql::Expr& expr,
                   const promql::QueryContext& context) {
                   return engine.range(expr, start, end, *step, reader_, context);
               });
}

Result<net::HttpResponse> QueryApi::series(const net::HttpParams& params) const {
    if (!params.has("match[]")) {
        return invalid_argument("no match[] parameter provided");
    }
    KPID_TRY(const std::size_t limit, limit_param(params));
    KPID_TRY(const model::TimeRange range, range_params(params));
    KPID_TRY(const auto sets, named_match_params(params));
    std::vector<model::Labels> all;
    for (const std::vector<model::Matcher>& matchers : sets) {
        if (is_empty(range)) {
            break;
        }
        KPID_TRY(std::vector<model::Labels> some, reader_.series(matchers, range));
        all.insert(all.end(), std::make_move_iterator(some.begin()),
                   std::make_move_iterator(some.end()));
    }
    if (sets.size() > 1) {
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
    }
    Annotations annotations;
    if (limit != 0 && all.size() > limit) {
        all.resize(limit);
        annotations.warnings.emplace_back(kTruncated);
    }
    return answer(series_part(std::move(all)), annotations);
}

Result<net::HttpResponse> QueryApi::labels(const net::HttpParams& params) const {
    KPID_TRY(const std::size_t limit, limit_param(params));
    KPID_TRY(const model::TimeRange range, range_params(params));
    KPID_TRY(const auto sets, match_params(params));
    if (is_empty(range)) {
        return answer_strings({}, limit);
    }
    KPID_TRY(std::vector<std::string> names,
             union_of(sets, [&](std::span<const model::Matcher> matchers) {
                 return reader_.label_names(matchers, range);
             }));
    return answer_strings(std::move(names), limit);
}

Result<net::HttpResponse> QueryApi::label_values(const std::string& name,
                                                 const net::HttpParams& params) const {
    KPID_TRY(const std::string label, label_name_param(name));
    KPID_TRY(const std::size_t limit, limit_param(params));
    KPID_TRY(const model::TimeRange range, range_params(params));
    KPID_TRY(const auto sets, match_params(params));
    if (is_empty(range)) {
        return answer_strings({}, limit);
    }
    KPID_TRY(std::vector<std::string> values,
             union_of(sets, [&](std::span<const model::Matcher> matchers) {
                 return reader_.label_values(label, matchers, range);
             }));
    return answer_strings(std::move(values), limit);
}

}  // namespace kpid::http
