#pragma once
// kpictl's connection to a running kpid.

#include "kpid/base/clock.h"
#include "kpid/base/result.h"
#include "kpid/wire/json_document.h"
#include "net/http_message.h"

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

/// One request after the other; each call blocks. Not thread-safe.
class ApiClient {
public:
    /// `server`: "http://127.0.0.1:9731".
    explicit ApiClient(std::string server) : server_(std::move(server)) {}

    /// A GET of `path` with parameters. kUnavailable when the server cannot be reached,
    /// kUnprocessable with its words when it refused.
    [[nodiscard]] Result<ApiAnswer> get(std::string_view path,
                                        const net::HttpParams& params = {}) const;

private:
    const std::string server_;
};

}  // namespace kpid::ctl
