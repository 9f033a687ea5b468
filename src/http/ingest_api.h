#pragma once
// Endpoints that take samples: POST /api/v1/push and /api/v1/import/prometheus.

#include "ingest/push_sink.h"
#include "net/http_message.h"

namespace kpid::http {

/// 200 with accepted and rejected; 400 with the same data when nothing was accepted, or for JSON
/// that does not parse. Blocks for the store.
[[nodiscard]] Result<net::HttpResponse> push_response(ingest::PushSink& sink,
                                                      const net::HttpRequest& request);
/// 204, or 400 with the line and nothing stored. OpenMetrics where Content-Type says so, else text
/// 0.0.4. Blocks for the store.
[[nodiscard]] Result<net::HttpResponse> import_text_response(ingest::PushSink& sink,
                                                             const net::HttpRequest& request);

}  // namespace kpid::http
