// Past KPIs as JSON.
#include "http/kpi_past_api.h"

#include "evaluate/kpi_past.h"
#include "http/api_json.h"
#include "http/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::http {
namespace {

constexpr Duration kHistoryDefault = std::chrono::hours(24);
constexpr std::int64_t kStepsDefault = 250;
constexpr Duration kStepMin = std::chrono::seconds(1);

Error past_error(const Error& error, const QueryWatchdog::Watch& watch) {
    if (watch.expired()) {
        return Error{Code::kDeadlineExceeded, "query timed out in expression evaluation"};
    }
    return error.code == Code::kResourceExhausted ? Error{Code::kUnprocessable, error.message}
                                                  : error;
}

Result<evaluate::PastQuery> history_query(const net::HttpParams& params, Timestamp now) {
    evaluate::PastQuery query;
    KPID_TRY(query.end, time_param(params, "end", now));
    const Timestamp start = query.end < Timestamp::min() + kHistoryDefault
                                ? Timestamp::min()
                                : query.end - kHistoryDefault;
    KPID_TRY(query.start, time_param(params, "start", start));
    KPID_TRY(query.known_at, optional_time_param(params, "known_at"));
    if (query.end < query.start) {
        return bad_parameter("end", "end timestamp must not be before start time");
    }
    const auto span =
        static_cast<std::uint64_t>(query.end.ms()) - static_cast<std::uint64_t>(query.start.ms());
    query.step = std::max(Duration(static_cast<std::int64_t>(span / kStepsDefault)), kStepMin);
    if (const std::string_view text = params.get_or("step", ""); !text.empty()) {
        const Result<Duration> step = parse_duration_param(text);
        if (!step) {
            return bad_parameter("step", step.error().message);
        }
        if (*step <= Duration(0)) {
            return bad_parameter("step", "step must be above 0");
        }
        query.step = *step;
    }
    return query;
}

void write_point(JsonWriter& json, const evaluate::PastPoint& point) {
    json.begin_object().key("time").string(format_rfc3339(point.time)).key("value");
    write_number_or_null(json, point.value);
    json.key("target");
    write_condition(json, point.target);
    json.key("status").string_or_null(point.status ? kpi::to_string(*point.status) : "");
    // Only windows have values that are not complete yet.
    json.key("complete").boolean(true).end_object();
}

}  // namespace

bool asks_for_the_past(const net::HttpParams& params) {
    return !params.get_or("time", "").empty() || !params.get_or("known_at", "").empty();
}

struct KpiPastApi::Asked {
    Timestamp time;
    std::optional<Timestamp> known_at;
};

Result<KpiPastApi::Asked> KpiPastApi::asked(const net::HttpParams& params) const {
    KPID_TRY(const Timestamp time, time_param(params, "time", clock_.wall_now()));
    KPID_TRY(const std::optional<Timestamp> known_at, optional_time_param(params, "known_at"));
    return Asked{time, known_at};
}

Result<ShownKpi> KpiPastApi::shown_then(evaluate::KpiView view, const evaluate::Snapshot& snapshot,
                                        const Asked& asked, std::stop_token stop) const {
    KPID_TRY(const std::vector<evaluate::PastInstance> instances,
             evaluate::kpi_past(reader_, snapshot, *view.entry,
                                {.start = asked.time,
                                 .end = asked.time,
                                 .known_at = asked.known_at,
                                 .stop = std::move(stop)}));
    ShownKpi shown;
    view.report = {};
    for (const evaluate::PastInstance& instance : instances) {
        const evaluate::PastPoint& point = instance.points.front();
        shown.statuses.push_back(point.status);
        if (point.status) {
            shown.status = shown.status ? kpi::worse(*shown.status, *point.status) : *point.status;
        }
        view.report.instances.push_back(
            {.labels = instance.labels, .value = point.value, .target = point.target});
    }
    shown.view = std::move(view);
    return shown;
}

Result<net::HttpResponse> KpiPastApi::kpis(const net::HttpParams& params,
                                           const QueryCaller& caller) const {
    KPID_TRY(const Asked asked, this->asked(params));
    const evaluate::Snapshot snapshot = evaluator_.snapshot();
    const QueryWatchdog::Watch watch(
        watchdog_, caller.arrived + snapshot.config->limits.query_timeout, caller.gone);
    std::vector<ShownKpi> kpis;
    for (evaluate::KpiView& view : evaluator_.kpis()) {
        Result<ShownKpi> shown = shown_then(std::move(view), snapshot, asked, watch.token());
        if (!shown) {
            return past_error(shown.error(), watch);
        }
        kpis.push_back(std::move(*shown));
    }
    return list_response(std::move(kpis), params);
}

Result<net::HttpResponse> KpiPastApi::kpi(const std::string& id, const net::HttpParams& params,
                                          const QueryCaller& caller) const {
    KPID_TRY(const Asked asked, this->asked(params));
    std::optional<evaluate::KpiView> view = evaluator_.kpi(id);
    if (!view) {
        return no_such_kpi(id);
    }
    const evaluate::Snapshot snapshot = evaluator_.snapshot();
    const QueryWatchdog::Watch watch(
        watchdog_, caller.arrived + snapshot.config->limits.query_timeout, caller.gone);
    const Result<ShownKpi> shown = shown_then(*std::move(view), snapshot, asked, watch.token());
    if (!shown) {
        return past_error(shown.error(), watch);
    }
    JsonWriter json;
    write_kpi(json, *shown);
    return success(std::move(json).take());
}

Result<net::HttpResponse> KpiPastApi::history(const std::string& id, const net::HttpParams& params,
                                              const QueryCaller& caller) const {
    KPID_TRY(evaluate::PastQuery query, history_query(params, clock_.wall_now()));
    const std::optional<evaluate::KpiView> view = evaluator_.kpi(id);
    if (!view) {
        return no_such_kpi(id);
    }
    const evaluate::Snapshot snapshot = evaluator_.snapshot();
    const QueryWatchdog::Watch watch(
        watchdog_, caller.arrived + snapshot.config->limits.query_timeout, caller.gone);
    query.stop = watch.token();
    const auto instances = evaluate::kpi_past(reader_, snapshot, *view->entry, query);
    if (!instances) {
        return past_error(instances.error(), watch);
    }
    JsonWriter json;
    json.begin_object().key("instances").begin_array();
    for (const evaluate::PastInstance& instance : *instances) {
        json.begin_object().key("labels");
        write_labels(json, instance.labels);
        json.key("points").begin_array();
        for (const evaluate::PastPoint& point : instance.points) {
            write_point(json, point);
        }
        json.end_array().end_object();
    }
    json.end_array().end_object();
    return success(std::move(json).take());
}

}  // namespace kpid::http
