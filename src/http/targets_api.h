#pragma once
// /api/v1/targets.

#include "ingest/ingest.h"
#include "net/http_message.h"

namespace kpid::http {

/// `targets?state=active|dropped|any&scrapePool=`.
[[nodiscard]] net::HttpResponse targets_response(const ingest::Ingest& ingest,
                                                 const net::HttpParams& params);

}  // namespace kpid::http
