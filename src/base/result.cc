#include "kpid/base/result.h"

namespace kpid {

std::string_view to_string(Code code) {
    switch (code) {
        case Code::kInvalidArgument:
            return "invalid_argument";
        case Code::kNotFound:
            return "not_found";
        case Code::kConflict:
            return "conflict";
        case Code::kUnsupported:
            return "unsupported";
        case Code::kUnprocessable:
            return "unprocessable";
        case Code::kResourceExhausted:
            return "resource_exhausted";
        case Code::kUnavailable:
            return "unavailable";
        case Code::kDeadlineExceeded:
            return "deadline_exceeded";
        case Code::kCancelled:
            return "cancelled";
        case Code::kPermissionDenied:
            return "permission_denied";
        case Code::kDataLoss:
            return "data_loss";
        case Code::kInternal:
            return "internal";
    }
    return "internal";
}

Error Error::with_context(std::string_view context) const {
    std::string text(context);
    text += ": ";
    text += message;
    return Error{code, std::move(text)};
}

Error invalid_argument(std::string message) {
    return Error{Code::kInvalidArgument, std::move(message)};
}
Error not_found(std::string message) {
    return Error{Code::kNotFound, std::move(message)};
}
Error unsupported(std::string message) {
    return Error{Code::kUnsupported, std::move(message)};
}
Error unavailable(std::string message) {
    return Error{Code::kUnavailable, std::move(message)};
}
Error resource_exhausted(std::string message) {
    return Error{Code::kResourceExhausted, std::move(message)};
}
Error internal_error(std::string message) {
    return Error{Code::kInternal, std::move(message)};
}

}  // namespace kpid
