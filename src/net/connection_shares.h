#pragma once
// What a connection takes of its server's bounds while it lives.

#include "net/http_connection.h"

#include <cstddef>

namespace kpid::net {

/// A share of HttpServerOptions::bodies_bytes_max, given back when it dies.
class BodyShare {
public:
    explicit BodyShare(HttpServerContext* context) : context_(context) {}
    ~BodyShare() { context_->body_bytes -= held_; }
    BodyShare(const BodyShare&) = delete;
    BodyShare& operator=(const BodyShare&) = delete;

    /// False when `bytes` are more than there is.
    [[nodiscard]] bool grow_to(std::size_t bytes) {
        if (bytes <= held_) {
            return true;
        }
        const std::size_t more = bytes - held_;
        const std::size_t now = context_->body_bytes.fetch_add(more) + more;
        held_ = bytes;
        return now <= context_->options.bodies_bytes_max;
    }

private:
    HttpServerContext* context_;
    std::size_t held_ = 0;
};

/// Adds one to the open connections while it lives.
class OpenCount {
public:
    explicit OpenCount(HttpServerContext* context) : context_(context) {
        ++context_->counters.connections_open;
    }
    ~OpenCount() { --context_->counters.connections_open; }
    OpenCount(const OpenCount&) = delete;
    OpenCount& operator=(const OpenCount&) = delete;

private:
    HttpServerContext* context_;
};

}  // namespace kpid::net
