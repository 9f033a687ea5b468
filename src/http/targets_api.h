#pragma once
// /api/v1/targets and /api/v1/sources.

#include "ingest/ingest.h"
#include "net/http_message.h"

namespace kpid::http {

/// `targets?state=active|dropped|any&scrapePool=`; as in Prometheus another state shows nothing.
[[nodiscard]] net::HttpResponse targets_response(const ingest::Ingest& ingest,
                                                 const net::HttpParams& params);
/// `[{id, kind, labels, health, last_error, last_poll, last_poll_seconds, interval}]`: the sources
/// that are no scrape targets.
[[nodiscard]] net::HttpResponse sources_response(const ingest::Ingest& ingest);

}  // namespace kpid::http
