// Latency on loopback: our client to our server on kept connections, and the parts of a request.

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/url.h"
#include "support/net_fixture.h"

#include <benchmark/benchmark.h>

#include <optional>
#include <string>

namespace {

using namespace kpid;

class Acknowledge final : public net::HttpHandler {
public:
    net::Task<net::HttpResponse> handle(net::HttpRequest request) override {
        static_cast<void>(request);
        net::HttpResponse response = net::text_response(200, "ok");
        co_return response;
    }
};

// Several requests in one task, so that the hand-over to the measuring thread does not count.
net::Task<int> post_many(net::HttpClient* client, std::string url, int count) {
    int delivered = 0;
    for (int i = 0; i < count; ++i) {
        net::HttpClientRequest request;
        request.method = "POST";
        request.url = url;
        request.body = std::string(1000, 'x');
        const Result<net::HttpClientResponse> response = co_await client->send(std::move(request));
        delivered += response.has_value() && response->status == 200 ? 1 : 0;
    }
    co_return delivered;
}

void post_on_kept_connection(benchmark::State& state) {
    constexpr int kRequests = 100;
    kpid::testing::NetFixture fixture;
    Acknowledge handler;
    net::HttpServer server(
        {fixture.runtime().io_context(), fixture.workers(), fixture.timers(), handler, Logger()},
        {.listen = {"127.0.0.1:0"}});
    if (!server.start()) {
        state.SkipWithError("cannot listen");
        return;
    }
    net::CurlClient client(fixture.runtime().io_context());
    const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
    for (auto _ : state) {
        if (fixture.wait(post_many(&client, url, kRequests)) != kRequests) {
            state.SkipWithError("a request failed");
            break;
        }
    }
    state.SetItemsProcessed(state.iterations() * kRequests);
    static_cast<void>(fixture.wait(server.stop(fixture.timers().after(Duration(1'000)))));
}
BENCHMARK(post_on_kept_connection)->Unit(benchmark::kMillisecond)->UseRealTime();

void parse_query_target(benchmark::State& state) {
    const std::string target =
        "/api/v1/query_range?query=sum(rate(http_requests_total%7Bjob%3D%22api%22%7D%5B5m%5D))"
        "&start=1700000000&end=1700003600&step=15";
    for (auto _ : state) {
        benchmark::DoNotOptimize(net::parse_target(target));
    }
}
BENCHMARK(parse_query_target);

}  // namespace

BENCHMARK_MAIN();
