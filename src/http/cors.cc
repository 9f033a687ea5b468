// Cross-origin headers.
#include "http/cors.h"

#include <string>

namespace kpid::http {

void Cors::allow(const net::HttpRequest& request, net::HttpResponse& response) const {
    response.headers.add(net::header::kVary, "Origin");
    const std::string_view origin = request.headers.get_or("Origin", "");
    if (origin.empty()) {
        return;
    }
    response.headers.set("Access-Control-Allow-Headers",
                         "Accept, Authorization, Content-Type, Origin");
    response.headers.set("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    response.headers.set("Access-Control-Expose-Headers", "Date");
    if (origins_.pattern() == kEveryOrigin) {
        response.headers.set("Access-Control-Allow-Origin", "*");
    } else if (origins_.full_match(origin)) {
        response.headers.set("Access-Control-Allow-Origin", origin);
    }
}

}  // namespace kpid::http
