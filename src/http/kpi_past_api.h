#pragma once
// KPIs as they were: parameters time and known_at, and kpis/<id>/history.

#include "http/kpi_api.h"
#include "http/query_api.h"

#include <string>

namespace kpid::http {

/// Whether a request asks for another time than now.
[[nodiscard]] bool asks_for_the_past(const net::HttpParams& params);

/// Evaluates KPIs at instants of the past; statuses are those that were recorded, null where none
/// was. Functions block for the queries: query pool only. Thread-safe.
class KpiPastApi {
public:
    KpiPastApi(const evaluate::Evaluator& evaluator, const model::Reader& reader,
               const Clock& clock, QueryWatchdog& watchdog)
        : evaluator_(evaluator), reader_(reader), clock_(clock), watchdog_(watchdog) {}

    /// `kpis?time=&known_at=`, and one object of that list.
    [[nodiscard]] Result<net::HttpResponse> kpis(const net::HttpParams& params,
                                                 const QueryCaller& caller) const;
    [[nodiscard]] Result<net::HttpResponse> kpi(const std::string& id,
                                                const net::HttpParams& params,
                                                const QueryCaller& caller) const;
    /// `kpis/<id>/history?start&end&step&known_at`: a day up to now and 250 steps where these are
    /// not given.
    [[nodiscard]] Result<net::HttpResponse> history(const std::string& id,
                                                    const net::HttpParams& params,
                                                    const QueryCaller& caller) const;

private:
    struct Asked;
    [[nodiscard]] Result<Asked> asked(const net::HttpParams& params) const;
    [[nodiscard]] Result<ShownKpi> shown_then(evaluate::KpiView view,
                                              const evaluate::Snapshot& snapshot,
                                              const Asked& asked, std::stop_token stop) const;

    const evaluate::Evaluator& evaluator_;
    const model::Reader& reader_;
    const Clock& clock_;
    QueryWatchdog& watchdog_;
};

}  // namespace kpid::http
