// The http_json source: one GET, samples by JSON Pointers.
#include "ingest/collectors.h"
#include "kpid/base/hash.h"
#include "kpid/wire/json_select.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::ingest {
namespace {

constexpr std::size_t kBodyBytesMax = 64U << 20U;
constexpr std::string_view kAccept = "application/json, */*;q=0.1";

class HttpJsonCollector final : public Collector {
public:
    HttpJsonCollector(const config::SourceConfig& source, const config::HttpJsonSource& json,
                      Environment& environment)
        : environment_(environment),
          id_(source.id),
          request_({.url = json.url,
                    .options = json.http,
                    .timeout = source.timeout,
                    .connect_timeout = source.timeout,
                    .response_bytes_max = kBodyBytesMax}),
          selector_(wire::JsonSelector::make(json.select)) {
        for (const wire::JsonMetricSpec& metric : json.select.metrics) {
            if (metric.time) {
                timed_.insert(metric.metric);
            }
        }
        request_.headers.set(net::header::kAccept, kAccept);
        request_.headers.set(net::header::kAcceptEncoding, "gzip");
    }

    net::Task<Result<Collected>> collect(Timestamp at) override {
        if (!selector_) {
            co_return selector_.error();
        }
        net::HttpClientRequest request = request_;
        const Result<net::HttpClientResponse> answer =
            co_await environment_.client.send(std::move(request));
        if (!answer) {
            co_return answer.error();
        }
        if (answer->status != 200) {
            co_return unavailable(fmt::format("server returned HTTP status {} {}", answer->status,
                                              net::reason_phrase(answer->status)));
        }
        Result<Collected> collected = co_await net::offload(
            environment_.workers, [this, &answer, at] { return decode(*answer, at); });
        co_return collected;
    }

private:
    // On a worker.
    Result<Collected> decode(const net::HttpClientResponse& answer, Timestamp at) const {
        Result<wire::JsonSelection> selection = selector_->select(answer.body, at);
        if (!selection) {
            const std::string_view type = answer.headers.get_or(net::header::kContentType, "");
            return selection.error().with_context(fmt::format(
                "the answer (Content-Type \"{}\") cannot be read", type.substr(0, 128)));
        }
        Collected collected{.malformed = selection->error_count};
        for (model::SeriesSample& sample : selection->samples) {
            const bool is_row = timed_.contains(sample.labels.metric_name());
            (is_row ? collected.rows : collected.samples).push_back(std::move(sample));
        }
        if (selection->error_count > 0) {
            const wire::JsonItemError& first = selection->errors.front();
            const std::string message =
                fmt::format("{} of {} items: item {}, metric {}: {}", selection->error_count,
                            selection->item_count, first.item, first.metric, first.error);
            // One bad row is a warning; nothing but bad rows is a source that is down.
            if (collected.samples.empty() && collected.rows.empty()) {
                collected.error = invalid_argument(message);
            } else {
                environment_.log.warn("items of a source could not be read",
                                      {{"source", id_}, {"error", message}});
            }
        }
        return collected;
    }

    Environment& environment_;
    const std::string id_;
    net::HttpClientRequest request_;
    const Result<wire::JsonSelector> selector_;
    StringSet timed_;  // metrics whose samples say their time
};

}  // namespace

std::unique_ptr<Collector> make_http_json_collector(const config::SourceConfig& source,
                                                    const config::HttpJsonSource& json,
                                                    Environment& environment) {
    return std::make_unique<HttpJsonCollector>(source, json, environment);
}

}  // namespace kpid::ingest
