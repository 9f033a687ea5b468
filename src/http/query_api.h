#pragma once
// Prometheus' query endpoints: query, query_range, series, labels, label values.

#include "evaluate/evaluator.h"
#include "http/answer_parts.h"
#include "http/query_stats.h"
#include "http/query_watchdog.h"
#include "kpid/model/reader.h"
#include "net/http_message.h"
#include "net/worker_pool.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace kpid::http {

/// When a query arrived, and whether its caller has gone since.
struct QueryCaller {
    MonoTime arrived;
    std::stop_token gone = {};
};

/// Answers with Prometheus' parameters, JSON, errors and codes. Functions block for the query:
/// query pool only. The text of a large answer is made on `writers` while it is sent.
/// Thread-safe.
class QueryApi {
public:
    QueryApi(const evaluate::Evaluator& evaluator, const model::Reader& reader, const Clock& clock,
             QueryWatchdog& watchdog, net::WorkerPool& writers)
        : evaluator_(evaluator),
          reader_(reader),
          clock_(clock),
          watchdog_(watchdog),
          writers_(writers) {}

    /// `caller` is who asked: the time that a query waits for a worker is part of its timeout.
    [[nodiscard]] Result<net::HttpResponse> query(const net::HttpParams& params,
                                                  const QueryCaller& caller) const;
    [[nodiscard]] Result<net::HttpResponse> query_range(const net::HttpParams& params,
                                                        const QueryCaller& caller) const;
    [[nodiscard]] Result<net::HttpResponse> series(const net::HttpParams& params) const;
    [[nodiscard]] Result<net::HttpResponse> labels(const net::HttpParams& params) const;
    [[nodiscard]] Result<net::HttpResponse> label_values(const std::string& name,
                                                         const net::HttpParams& params) const;

private:
    using Ask = std::function<Result<promql::QueryResult>(
        const promql::Engine&, const promql::Expr&, const promql::QueryContext&)>;
    /// What query and query_range share: the other parameters, the deadline, the answer.
    [[nodiscard]] Result<net::HttpResponse> run(const net::HttpParams& params,
                                                const QueryCaller& caller, const QuerySteps& steps,
                                                const Ask& ask) const;
    [[nodiscard]] net::HttpResponse answer(std::unique_ptr<AnswerPart> part,
                                           const Annotations& annotations) const;
    [[nodiscard]] net::HttpResponse answer_strings(std::vector<std::string> strings,
                                                   std::size_t limit) const;

    const evaluate::Evaluator& evaluator_;
    const model::Reader& reader_;
    const Clock& clock_;
    QueryWatchdog& watchdog_;
    net::WorkerPool& writers_;
};

}  // namespace kpid::http
