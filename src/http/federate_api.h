#pragma once
// /federate: the newest sample of each series, for another Prometheus to scrape.

#include "evaluate/evaluator.h"
#include "http/query_api.h"
#include "kpid/model/reader.h"
#include "net/http_message.h"
#include "net/worker_pool.h"

namespace kpid::http {

/// What federate_response borrows.
struct FederateSources {
    const evaluate::Evaluator& evaluator;
    const model::Reader& reader;
    net::WorkerPool& writers;  ///< Makes the text while it is sent.
};

/// `federate?match[]=`: as Prometheus answers. Of each series that a selector matches the newest
/// sample, not older than the lookback (or how long its values hold) and not ended, with its own
/// time; families of no known type, in order of name, series in order of labels; the external
/// labels where a series has none of that name, and an empty `instance`, so that the scraper adds
/// none. Always the text format; names that are not classic as the Accept header says. Errors are
/// plain text. Blocks for the store: query pool only.
[[nodiscard]] net::HttpResponse federate_response(const FederateSources& sources, Timestamp now,
                                                  const net::HttpRequest& request);

}  // namespace kpid::http
