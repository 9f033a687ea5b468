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

constexpr Duration kDownloadTimeout = std::chrono::hours(24);
// Tries of a request that the server is too busy for, and the pause between them.
constexpr int kBusyTriesMax = 30;
constexpr Duration kBusyPause = std::chrono::seconds(2);
constexpr unsigned kTooManyRequests = 429;
constexpr unsigned kServiceUnavailable = 503;

// Everything that one request needs; its task fills in the answer.
struct Exchange {
    net::Runtime runtime;
    SystemClock clock;
    net::AsioTimers timers{clock};
    int tries_left = 1;
    net::CurlClient client{runtime.io_context(), {.user_agent = "kpictl"}};
    net::HttpClientRequest request;
    std::optional<Result<net::HttpClientResponse>> answer;
    net::TaskGroup tasks{runtime.make_strand(), Logger()};
};

bool is_busy(const net::HttpClientResponse& response) {
    return response.status == kTooManyRequests || response.status == kServiceUnavailable;
}

net::Task<> run_exchange(Exchange* owner) {
    for (;;) {
        Result<net::HttpClientResponse> answer = co_await owner->client.send(owner->request);
        --owner->tries_left;
        const bool again = answer && is_busy(*answer) && owner->tries_left > 0;
        owner->answer = std::move(answer);
        if (!again) {
            co_return;
        }
        const Result<void> slept =
            co_await owner->timers.sleep_until(owner->timers.after(kBusyPause));
        if (!slept) {
            co_return;
        }
    }
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

Result<ApiAnswer> parse_answer(const std::string& server, std::string body) {
    Result<wire::JsonDocument> document = wire::JsonDocument::parse(body);
    if (!document) {
        return unavailable(
            fmt::format("{} did not answer with JSON: {}", server, document.error().message));
    }
    return ApiAnswer{std::move(body), std::move(*document)};
}

}  // namespace

wire::JsonValue ApiAnswer::data() const {
    return document.root().member("data").value_or(document.root());
}

std::string ApiClient::url_of(std::string_view path, const net::HttpParams& params) const {
    std::string url = server_ + std::string(path);
    if (!params.empty()) {
        url += "?" + net::encode_form(params);
    }
    return url;
}

// A 2xx answer.
Result<net::HttpClientResponse> ApiClient::exchange(net::HttpClientRequest request,
                                                    int tries_max) const {
    Exchange exchange;
    exchange.request = std::move(request);
    exchange.tries_left = tries_max;
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
    return std::move(*answer);
}

Result<ApiAnswer> ApiClient::get(std::string_view path, const net::HttpParams& params) const {
    KPID_TRY(net::HttpClientResponse answer, exchange({.url = url_of(path, params),
                                                       .timeout = kTimeout,
                                                       .response_bytes_max = kAnswerBytesMax},
                                                      1));
    return parse_answer(server_, std::move(answer.body));
}

Result<ApiAnswer> ApiClient::post(std::string_view path, const net::HttpParams& params,
                                  ApiBody body) const {
    net::HttpHeaders headers;
    headers.add(net::header::kContentType, body.media_type);
    KPID_TRY(net::HttpClientResponse answer, exchange({.method = "POST",
                                                       .url = url_of(path, params),
                                                       .headers = std::move(headers),
                                                       .body = std::move(body.text),
                                                       .timeout = kTimeout,
                                                       .response_bytes_max = kAnswerBytesMax},
                                                      kBusyTriesMax));
    return parse_answer(server_, std::move(answer.body));
}

Result<void> ApiClient::download(
    std::string_view path, const net::HttpParams& params,
    std::function<Result<void>(std::string_view piece)> on_piece) const {
    KPID_CHECK_OK(exchange(
        {.url = url_of(path, params), .timeout = kDownloadTimeout, .on_body = std::move(on_piece)},
        1));
    return {};
}

}  // namespace kpid::ctl
