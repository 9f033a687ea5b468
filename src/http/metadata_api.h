#pragma once
// /api/v1/metadata: types, helps and units of metrics.

#include "ingest/metadata_table.h"
#include "kpid/wire/text_encoder.h"
#include "net/http_message.h"

#include <vector>

namespace kpid::http {

/// `metadata?metric=&limit=&limit_per_metric=`: as Prometheus answers, one entry a family: the
/// newest statement. `own` are the families that kpid itself exposes; what a sender says of one of
/// them wins.
[[nodiscard]] Result<net::HttpResponse> metadata_response(
    const ingest::MetadataTable& table, const std::vector<wire::MetricFamily>& own,
    const net::HttpParams& params);

}  // namespace kpid::http
