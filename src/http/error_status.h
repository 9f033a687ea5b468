#pragma once
// The one table from error codes to HTTP: status and Prometheus' errorType.

#include "kpid/base/result.h"
#include "net/http_message.h"

#include <string_view>

namespace kpid::http {

struct ErrorStatus {
    unsigned status = 500;
    std::string_view error_type;
};

[[nodiscard]] ErrorStatus error_status(Code code);

/// `{"status":"error","errorType":…,"error":…}` with the status of the code; 429 and 503 carry
/// Retry-After.
[[nodiscard]] net::HttpResponse error_response(const Error& error);
/// The same with a status that no code stands for (405, 413, 415, …).
[[nodiscard]] net::HttpResponse error_response(unsigned status, std::string_view message);

}  // namespace kpid::http
