#pragma once
// HTTP requests and responses as values.

#include "kpid/base/clock.h"
#include "kpid/base/result.h"
#include "net/url.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::net {

/// Header names and media types that the rooms use.
namespace header {
inline constexpr std::string_view kAccept = "Accept";
inline constexpr std::string_view kAcceptEncoding = "Accept-Encoding";
inline constexpr std::string_view kAllow = "Allow";
inline constexpr std::string_view kAuthorization = "Authorization";
inline constexpr std::string_view kCacheControl = "Cache-Control";
inline constexpr std::string_view kConnection = "Connection";
inline constexpr std::string_view kContentEncoding = "Content-Encoding";
inline constexpr std::string_view kContentLength = "Content-Length";
inline constexpr std::string_view kContentType = "Content-Type";
inline constexpr std::string_view kETag = "ETag";
inline constexpr std::string_view kHost = "Host";
inline constexpr std::string_view kIdempotencyKey = "Idempotency-Key";
inline constexpr std::string_view kIfNoneMatch = "If-None-Match";
inline constexpr std::string_view kLocation = "Location";
inline constexpr std::string_view kRetryAfter = "Retry-After";
inline constexpr std::string_view kUserAgent = "User-Agent";
inline constexpr std::string_view kVary = "Vary";
}  // namespace header

namespace media_type {
inline constexpr std::string_view kForm = "application/x-www-form-urlencoded";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kText = "text/plain; charset=utf-8";
}  // namespace media_type

/// ASCII case-insensitive equality.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);

/// Headers in their order; names compare without case.
class HttpHeaders {
public:
    using Entry = std::pair<std::string, std::string>;

    HttpHeaders() = default;
    HttpHeaders(std::initializer_list<Entry> entries) : entries_(entries) {}

    void add(std::string_view name, std::string_view value) { entries_.emplace_back(name, value); }
    /// Replaces every header of that name.
    void set(std::string_view name, std::string_view value);
    void remove(std::string_view name);
    /// The first value of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    [[nodiscard]] std::string_view get_or(std::string_view name, std::string_view fallback) const;
    [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
    /// True when a header of that name holds `token` in its comma-separated list, without case;
    /// parameters after ';' are ignored but for q=0, which means no.
    [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] auto begin() const { return entries_.begin(); }
    [[nodiscard]] auto end() const { return entries_.end(); }
    bool operator==(const HttpHeaders&) const = default;

private:
    std::vector<Entry> entries_;
};

/// A request as a handler gets it.
struct HttpRequest {
    std::string method;    ///< "GET"; as it came, case matters.
    std::string target;    ///< The request line's target, as it came.
    std::string path_raw;  ///< Its path, still percent-encoded.
    std::string path;      ///< Its path, decoded.
    HttpParams params;     ///< Its query, decoded.
    HttpHeaders headers;
    std::string body;  ///< Whole; gzip is undone already (Content-Encoding is then removed).
    std::string peer;  ///< "127.0.0.1:54321".
    MonoTime arrived;  ///< When it was whole.
    /// Set when the peer hangs up before it is answered: what is only of use to it may end.
    std::stop_token gone = {};
};

/// The media type of a Content-Type value: before ';', trimmed, in lower case.
[[nodiscard]] std::string media_type_of(std::string_view content_type);

/// The parameters of a request: those of a form body (when Content-Type says so and the method is
/// not GET or HEAD) before those of the query. Code::kInvalidArgument for a body that is not a
/// form.
[[nodiscard]] Result<HttpParams> request_params(const HttpRequest& request);

class BodyStream;

/// What a handler gives back. Content-Length, Date, Connection, and Content-Encoding and Vary where
/// the server compresses, are put by the server.
struct HttpResponse {
    unsigned status = 200;
    HttpHeaders headers;
    std::string body;
    /// Instead of `body`, of a status that has one: sent, and compressed, as it is made.
    std::shared_ptr<BodyStream> stream = {};
};

/// A response with a Content-Type.
[[nodiscard]] HttpResponse make_response(unsigned status, std::string_view content_type,
                                         std::string body);
/// text/plain; a final newline is added to a body that has none.
[[nodiscard]] HttpResponse text_response(unsigned status, std::string body);
/// "Not Found"; "Unknown" for codes without a name.
[[nodiscard]] std::string_view reason_phrase(unsigned status);

}  // namespace kpid::net
