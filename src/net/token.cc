// What the errors of asynchronous operations become.

#include "net/token.h"

#include <fmt/format.h>

namespace kpid::net {

Error to_error(const error_code& failure, std::string_view what) {
    if (failure == asio::error::operation_aborted) {
        return Error{Code::kCancelled, "cancelled"};
    }
    return unavailable(fmt::format("{}: {}", what, failure.message()));
}

}  // namespace kpid::net
