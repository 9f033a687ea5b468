#pragma once
// A response body that is made while it is sent.

#include "kpid/base/result.h"
#include "net/task.h"

#include <string>

namespace kpid::net {

/// Gives a body piece by piece. Made by a handler, driven by the connection, on its strand.
class BodyStream {
public:
    virtual ~BodyStream() = default;
    /// The next piece, of a size that fits in memory many times; empty at the end. Called once more
    /// when the piece before was written. An error cuts the connection, so that the client sees
    /// that the body is not whole.
    [[nodiscard]] virtual Task<Result<std::string>> next() = 0;
};

}  // namespace kpid::net
