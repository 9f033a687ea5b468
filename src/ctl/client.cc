// Requests of kpictl.
#include "ctl/client.h"

#include "net/http_client.h"
#include "net/runtime.h"
#include "net/task_group.h"
#include "net/timers.h"

#include <fmt/format.h>

#include <optional>

namespace kpid::ctl {
namespace {

constexpr Duration kTimeout = std::chrono::seconds(60);
constexpr std::size_t kAnswerBytesMax = std::size_t{256} * 1024 * 1024;

// Everything that one request needs; its task fills in the answer.
struct Exchange {
    net::Runtime runtime;
    net::CurlClient client{runtime.io_context(), {.user_agent = "kpictl"}};
    net::HttpClientRequest request;
    std::optional<Result<net::HttpClientResponse>> answer;
    net::TaskGroup tasks{runtime.make_strand(), Logger()};
};

net::Task<> run_exchange(Exchange* owner) {
    Result<net::HttpClientResponse> answer = co_await owner->client.send(owner->request);
    owner->answer = std::move(answer);
}

Error refusal(const std::string& server, const net::HttpClientResponse& response) {
    const auto document = wire::JsonDocument::parse(response.body);
    if (document) {
        const auto error = document->root().member("error");
        if (error && error->kind() == wire::JsonValue::Kind::kString) {
            return Error{Code::kUnprocessable, std::string(error->string())};
        }
    }
    return Error{Code::kUnprocessable, fmt::format("{} answered {} {}", server, response.status,
                                                   net::reason_phrase(response.status))};
}

}  // namespace

wire::JsonValue ApiAnswer::data() const {
    return document.root().member("data").value_or(document.root());
}

Result<ApiAnswer> ApiClient::get(std::string_view path, const net::HttpParams& params) const {
    Exchange exchange;
    exchange.request.url = server_ + std::string(path);
    if (!params.empty()) {
        exchange.request.url += "?" + net::encode_form(params);
    }
    exchange.request.timeout = kTimeout;
    exchange.request.response_bytes_max = kAnswerBytesMax;
    exchange.tasks.spawn("request", run_exchange(&exchange));
    // Until the task itself is gone, not only its answer there: the group must be empty to die.
    while (exchange.tasks.size() > 0 && exchange.runtime.io_context().run_one() > 0) {
    }
    if (!exchange.answer) {
        return unavailable("the request did not end");
    }
    Result<net::HttpClientResponse>& answer = *exchange.answer;
    if (!answer) {
        return unavailable(fmt::format("{}: {} (is kpid running? --server names another)", server_,
                                       answer.error().message));
    }
    if (answer->status < 200 || answer->status >= 300) {
        return refusal(server_, *answer);
    }
    Result<wire::JsonDocument> document = wire::JsonDocument::parse(answer->body);
    if (!document) {
        return unavailable(
            fmt::format("{} did not answer with JSON: {}", server_, document.error().message));
    }
    return ApiAnswer{std::move(answer->body), std::move(*document)};
}

}  // namespace kpid::ctl
