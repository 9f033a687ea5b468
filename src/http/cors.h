#pragma once
// Which pages of other origins may read answers, as Prometheus says it.

#include "kpid/model/regex.h"
#include "net/http_message.h"

#include <string_view>

namespace kpid::http {

/// What --web.cors.origin says; every origin by default. Immutable.
class Cors {
public:
    static constexpr std::string_view kEveryOrigin = ".*";

    explicit Cors(model::Regex origins) : origins_(std::move(origins)) {}

    /// Adds the headers that let the page which asked read the answer, where it may.
    void allow(const net::HttpRequest& request, net::HttpResponse& response) const;

private:
    model::Regex origins_;
};

}  // namespace kpid::http
