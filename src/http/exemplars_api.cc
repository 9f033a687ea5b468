// Exemplars as Prometheus shows them.
#include "http/exemplars_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"
#include "kpid/promql/selectors.h"

#include <vector>

namespace kpid::http {

Result<net::HttpResponse> exemplars_response(const ingest::ExemplarTable& table,
                                             const promql::ParseOptions& options,
                                             const net::HttpParams& params) {
    KPID_TRY(const model::TimeRange range, range_params(params));
    if (range.end < range.start) {
        return invalid_argument("end timestamp must not be before start timestamp");
    }
    KPID_TRY(const promql::ExprPtr expr, promql::parse_expr(params.get_or("query", ""), options));
    std::vector<std::vector<model::Matcher>> sets;
    for (const promql::VectorSelector* selector : promql::collect_selectors(*expr)) {
        sets.push_back(selector->matchers);
    }
    JsonWriter json;
    json.begin_array();
    for (const ingest::SeriesExemplars& one : table.select(sets, range)) {
        json.begin_object().key("seriesLabels");
        write_labels(json, one.series);
        json.key("exemplars").begin_array();
        for (const ingest::Exemplar& exemplar : one.exemplars) {
            json.begin_object().key("labels");
            write_labels(json, exemplar.labels);
            json.key("value").string(sample_value(exemplar.value));
            json.key("timestamp").raw(sample_time(exemplar.time)).end_object();
        }
        json.end_array().end_object();
    }
    json.end_array();
    return success(std::move(json).take());
}

}  // namespace kpid::http
