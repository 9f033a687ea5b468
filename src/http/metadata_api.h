#pragma once
// /api/v1/metadata: types, helps and units of metrics.

#include "ingest/metadata_table.h"
#include "net/http_message.h"

namespace kpid::http {

/// `metadata?metric=&limit=`: as Prometheus answers, one entry a family: the newest statement.
[[nodiscard]] Result<net::HttpResponse> metadata_response(const ingest::MetadataTable& table,
                                                          const net::HttpParams& params);

}  // namespace kpid::http
