#pragma once
// kpictl's connection to a running kpid.

#include "kpid/base/clock.h"
#include "kpid/base/result.h"
#include "kpid/wire/json_document.h"
#include "net/http_client.h"
#include "net/http_message.h"

#include <functional>
#include <string>
#include <string_view>

namespace kpid::ctl {

/// What a server answered to an API call.
struct ApiAnswer {
    std::string text;  ///< The whole JSON.
    wire::JsonDocument document;
    /// The document's `data`.
    [[nodiscard]] wire::JsonValue data() const;
};

/// What is posted.
struct ApiBody {
    std::string media_type;
    std::string text;
};

/// One request after the other; each call blocks. Not thread-safe.
class ApiClient {
public:
    /// `server`: "http://127.0.0.1:9731".
    explicit ApiClient(std::string server) : server_(std::move(server)) {}

    /// A GET of `path` with parameters. kUnavailable when the server cannot be reached,
    /// kUnprocessable with its words when it refused.
    [[nodiscard]] Result<ApiAnswer> get(std::string_view path,
                                        const net::HttpParams& params = {}) const;

    /// A POST. Where the server is busy (429, 503) it is sent again, for about a minute.
    [[nodiscard]] Result<ApiAnswer> post(std::string_view path, const net::HttpParams& params,
                                         ApiBody body) const;
    /// A GET whose answer, of any size, is handed on as it comes. An error also when it was cut.
    [[nodiscard]] Result<void> download(
        std::string_view path, const net::HttpParams& params,
        std::function<Result<void>(std::string_view piece)> on_piece) const;

private:
    [[nodiscard]] std::string url_of(std::string_view path, const net::HttpParams& params) const;
    [[nodiscard]] Result<net::HttpClientResponse> exchange(net::HttpClientRequest request,
                                                           int tries_max) const;

    const std::string server_;
};

}  // namespace kpid::ctl
