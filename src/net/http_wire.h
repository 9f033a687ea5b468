#pragma once
// The bytes of a response, and whether to compress it.

#include "kpid/base/time.h"
#include "net/gzip.h"
#include "net/http_message.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::net {

/// What the request decides about the response's framing.
struct ResponseFraming {
    bool is_http_1_0 = false;
    bool keep_alive = true;
    std::size_t content_length = 0;
    bool is_streamed = false;  ///< Without a length: chunked, for HTTP/1.0 up to the end.
};

/// Status line and headers with the empty line. Line breaks in header values become blanks; the
/// handler's own Content-Length, Connection, Date and Transfer-Encoding are left out.
[[nodiscard]] std::string serialize_head(const HttpResponse& response,
                                         const ResponseFraming& framing, Timestamp now);

/// True for statuses that have a body (not 1xx, 204, 304).
[[nodiscard]] bool status_has_body(unsigned status);

/// True when compressing is worth it: large enough or streamed, of a kind that shrinks, not yet
/// encoded.
[[nodiscard]] bool is_compressible(const HttpResponse& response, std::size_t bytes_min);

/// The encoding to answer in, of those the client takes; gzip before deflate.
[[nodiscard]] std::optional<Packing> accepted_packing(const HttpHeaders& headers);
/// Its name in Content-Encoding.
[[nodiscard]] std::string_view packing_name(Packing packing);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
[[nodiscard]] std::string format_http_date(Timestamp time);

}  // namespace kpid::net
