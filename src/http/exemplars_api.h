#pragma once
// /api/v1/query_exemplars: the exemplars of the series that an expression reads.

#include "ingest/exemplar_table.h"
#include "kpid/promql/parser.h"
#include "net/http_message.h"

namespace kpid::http {

/// `query_exemplars?query=&start=&end=`: as Prometheus answers. `offset` and `@` of selectors move
/// nothing; an expression without a selector has none. `options` are the configuration's.
[[nodiscard]] Result<net::HttpResponse> exemplars_response(const ingest::ExemplarTable& table,
                                                           const promql::ParseOptions& options,
                                                           const net::HttpParams& params);

}  // namespace kpid::http
