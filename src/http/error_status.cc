// Errors as HTTP answers.
#include "http/error_status.h"

#include "kpid/base/json_writer.h"

namespace kpid::http {
namespace {

// Long enough that a client does not spin, short enough that little waits.
constexpr std::string_view kRetryAfterSeconds = "1";

net::HttpResponse envelope(const ErrorStatus& status, std::string_view message) {
    JsonWriter json;
    json.begin_object().key("status").string("error").key("errorType").string(status.error_type);
    json.key("error").string(message).end_object();
    net::HttpResponse response =
        net::make_response(status.status, net::media_type::kJson, std::move(json).take());
    if (status.status == 429 || status.status == 503) {
        response.headers.set(net::header::kRetryAfter, kRetryAfterSeconds);
    }
    return response;
}

}  // namespace

ErrorStatus error_status(Code code) {
    switch (code) {
        case Code::kInvalidArgument:
        case Code::kUnsupported:
            return {400, "bad_data"};
        case Code::kNotFound:
            return {404, "not_found"};
        case Code::kConflict:
            return {409, "bad_data"};
        case Code::kUnprocessable:
            return {422, "execution"};
        case Code::kResourceExhausted:
            return {429, "unavailable"};
        case Code::kUnavailable:
            return {503, "unavailable"};
        case Code::kDeadlineExceeded:
            return {503, "timeout"};
        case Code::kCancelled:
            return {499, "canceled"};
        case Code::kPermissionDenied:
            return {403, "unavailable"};  // as Prometheus' body for what is switched off
        case Code::kDataLoss:
        case Code::kInternal:
            return {500, "internal"};
    }
    return {500, "internal"};
}

net::HttpResponse error_response(const Error& error) {
    const ErrorStatus status = error_status(error.code);
    return envelope(status, error.message);
}

net::HttpResponse error_response(unsigned status, std::string_view message) {
    const std::string_view type = status < 500    ? "bad_data"
                                  : status == 503 ? "unavailable"
                                                  : "internal";
    return envelope({status, type}, message);
}

}  // namespace kpid::http
