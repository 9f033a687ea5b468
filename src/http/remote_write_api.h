#pragma once
// POST /api/v1/write: Prometheus remote write, versions 1.0 and 2.0.

#include "ingest/remote_write_sink.h"
#include "net/http_message.h"

namespace kpid::http {

/// Texts are plain, as senders log them. 204 when stored; 400 for what can never be stored, with
/// the first refused series (what is valid is stored); 413 above a limit; 415 for another
/// Content-Type or Content-Encoding than snappy and either version; 429 with Retry-After when a
/// limit of the store is reached. Answers to version 2 say how much was written. An error of the
/// store is the caller's to answer. Blocks for the store.
[[nodiscard]] Result<net::HttpResponse> remote_write_response(ingest::RemoteWriteSink& sink,
                                                              const net::HttpRequest& request);

}  // namespace kpid::http
