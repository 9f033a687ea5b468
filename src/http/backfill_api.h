#pragma once
// Back-fill and backup: GET /api/v1/export, POST /api/v1/import/openmetrics and …/tsdb-dump.

#include "ingest/import_sink.h"
#include "kpid/model/reader.h"
#include "net/http_message.h"
#include "net/worker_pool.h"

namespace kpid::http {

/// `match[]=&start=&end=`: an OpenMetrics text with times, streamed; it is made on `pool`, a piece
/// after the other. Reader and pool outlive the response.
[[nodiscard]] Result<net::HttpResponse> export_response(const model::Reader& reader,
                                                        net::WorkerPool& pool,
                                                        const net::HttpParams& params);
/// `?line=N`: the number of the body's first line, 1 when absent. `recorded=true` takes kpid's own
/// names too, which needs `may_restore` (403). 200 with `{"accepted", "reserved", "rejectedTotal",
/// "rejected": [{"line", "error"}]}`; 400 with the line and nothing stored for what cannot be read.
/// Blocks for the store.
[[nodiscard]] Result<net::HttpResponse> import_response(ingest::ImportSink& sink,
                                                        ingest::ImportFormat format,
                                                        bool may_restore,
                                                        const net::HttpRequest& request);

}  // namespace kpid::http
