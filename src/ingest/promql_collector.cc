// The promql source: instant queries of another Prometheus-compatible server.
#include "ingest/collectors.h"
#include "ingest/target_labels.h"
#include "kpid/wire/query_result.h"
#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

constexpr std::size_t kBodyBytesMax = 64U << 20U;
// What is left of the timeout when a query is not even begun.
constexpr Duration kTimeoutMin = std::chrono::milliseconds(1);

class PromqlCollector final : public Collector {
public:
    PromqlCollector(const config::SourceConfig& source, config::PromqlSource promql,
                    Environment& environment)
        : environment_(environment),
          id_(source.id),
          timeout_(source.timeout),
          promql_(std::move(promql)) {}

    net::Task<Result<Collected>> collect(Timestamp at) override {
        const MonoTime deadline = environment_.timers.after(timeout_);
        Collected collected;
        std::size_t failed = 0;
        for (const config::PromqlSource::Query& query : promql_.queries) {
            const Result<void> answered = co_await ask(&query, at, deadline, &collected);
            if (answered) {
                continue;
            }
            if (answered.error().code == Code::kCancelled) {
                co_return answered.error();
            }
            ++failed;
            if (!collected.error) {
                collected.error =
                    answered.error().with_context(fmt::format("query of {}", query.metric));
            }
        }
        if (failed > 0 && failed == promql_.queries.size()) {
            co_return *collected.error;
        }
        co_return collected;
    }

private:
    net::Task<Result<void>> ask(const config::PromqlSource::Query* query, Timestamp at,
                                MonoTime deadline, Collected* collected) {
        const MonoTime now = environment_.timers.clock().mono_now();
        if (now >= deadline) {
            co_return Error{Code::kDeadlineExceeded,
                            "the queries before it took the whole timeout"};
        }
        const Duration left =
            std::max(std::chrono::duration_cast<Duration>(deadline - now), kTimeoutMin);
        net::HttpClientRequest request = make_request(*query, at, left);
        const Result<net::HttpClientResponse> answer =
            co_await environment_.client.send(std::move(request));
        if (!answer) {
            co_return answer.error();
        }
        const Result<void> taken =
            co_await net::offload(environment_.workers, [this, query, &answer, at, collected] {
                return take(*query, *answer, at, *collected);
            });
        co_return taken;
    }

    net::HttpClientRequest make_request(const config::PromqlSource::Query& query, Timestamp at,
                                        Duration timeout) const {
        net::HttpParams form;
        form.add("query", query.expr);
        form.add("time", fmt::format("{}.{:03}", at.ms() / 1000, at.ms() % 1000));
        form.add("timeout", format_duration(timeout));
        net::HttpClientRequest request{.method = "POST",
                                       .url = promql_.url + "/api/v1/query",
                                       .body = net::encode_form(form),
                                       .options = promql_.http,
                                       .timeout = timeout,
                                       .connect_timeout = timeout,
                                       .response_bytes_max = kBodyBytesMax};
        request.headers.set(net::header::kContentType, net::media_type::kForm);
        request.headers.set(net::header::kAccept, net::media_type::kJson);
        request.headers.set(net::header::kAcceptEncoding, "gzip");
        return request;
    }

    // On a worker. Results are the values at our time, whatever the server's clock says.
    Result<void> take(const config::PromqlSource::Query& query,
                      const net::HttpClientResponse& answer, Timestamp at,
                      Collected& collected) const {
        Result<wire::QueryResult> result = wire::decode_query_result(answer.body);
        if (!result && answer.status != 200 && !looks_like_answer(answer)) {
            return unavailable(fmt::format("server returned HTTP status {} {}", answer.status,
                                           net::reason_phrase(answer.status)));
        }
        if (!result) {
            return result.error();
        }
        for (const std::string& warning : result->warnings) {
            environment_.log.warn(
                "a query was answered with a warning",
                {{"source", id_}, {"metric", query.metric}, {"warning", warning}});
        }
        for (model::SeriesSample& sample : result->samples) {
            collected.samples.push_back({named(query.metric, sample.labels), at, sample.value});
        }
        return {};
    }

    // Prometheus explains its refusals in JSON; a proxy before it does not.
    static bool looks_like_answer(const net::HttpClientResponse& answer) {
        return net::media_type_of(answer.headers.get_or(net::header::kContentType, "")) ==
               net::media_type::kJson;
    }

    Environment& environment_;
    const std::string id_;
    const Duration timeout_;
    const config::PromqlSource promql_;
};

}  // namespace

std::unique_ptr<Collector> make_promql_collector(const config::SourceConfig& source,
                                                 const config::PromqlSource& promql,
                                                 Environment& environment) {
    return std::make_unique<PromqlCollector>(source, promql, environment);
}

}  // namespace kpid::ingest
