// One scrape: request, answer, samples, reports.
#include "ingest/scrape_poll.h"

#include "ingest/target_labels.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

constexpr std::array<std::string_view, 5> kReportNames{
    "up", "scrape_duration_seconds", "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling", "scrape_series_added"};

struct ProtocolName {
    std::string_view name;
    std::string_view media_type;
    wire::ExpositionFormat format;
};
// What scrape_protocols and fallback_scrape_protocol may name and we read. PrometheusProto is left
// out of Accept.
constexpr std::array<ProtocolName, 4> kProtocolNames{
    {{"OpenMetricsText1.0.0", "application/openmetrics-text;version=1.0.0",
      wire::ExpositionFormat::kOpenMetrics},
     {"OpenMetricsText0.0.1", "application/openmetrics-text;version=0.0.1",
      wire::ExpositionFormat::kOpenMetrics},
     {"PrometheusText1.0.0", "text/plain;version=1.0.0", wire::ExpositionFormat::kText},
     {"PrometheusText0.0.4", "text/plain;version=0.0.4", wire::ExpositionFormat::kText}}};

const ProtocolName* find_protocol(std::string_view name) {
    for (const ProtocolName& protocol : kProtocolNames) {
        if (protocol.name == name) {
            return &protocol;
        }
    }
    return nullptr;
}

std::string accept_of(const config::ScrapeConfig& config) {
    std::string accept;
    int weight = static_cast<int>(kProtocolNames.size()) + 2;
    for (const std::string& name : config.scrape_protocols) {
        if (const ProtocolName* protocol = find_protocol(name)) {
            accept += fmt::format("{};q=0.{},", protocol->media_type, --weight);
        }
    }
    return accept.empty() ? std::string(wire::kScrapeAccept) : accept + "*/*;q=0.1";
}

}  // namespace

ScrapePoll::ScrapePoll(Environment& environment, std::shared_ptr<const config::ScrapeConfig> config,
                       ScrapeTarget target)
    : PollTask(environment),
      config_(std::move(config)),
      target_(std::move(target)),
      decoder_(config_, target_.labels, book_) {
    for (std::size_t i = 0; i < kReportCount; ++i) {
        report_labels_[i] = named(kReportNames[i], target_.labels);
    }
}

net::HttpClientRequest ScrapePoll::make_request() const {
    net::HttpClientRequest request{.url = target_.url,
                                   .options = config_->http,
                                   .timeout = target_.timeout,
                                   .connect_timeout = target_.timeout};
    request.headers.set(net::header::kAccept, accept_of(*config_));
    if (config_->enable_compression) {
        request.headers.set(net::header::kAcceptEncoding, "gzip");
    }
    const double seconds = std::chrono::duration<double>(target_.timeout).count();
    request.headers.set("X-Prometheus-Scrape-Timeout-Seconds", format_float(seconds));
    request.response_bytes_max =
        config_->body_size_limit == 0 ? kBodyBytesMax : config_->body_size_limit;
    return request;
}

net::Task<Result<void>> ScrapePoll::poll(Timestamp at) {
    const MonoTime started = environment_.timers.clock().mono_now();
    Result<net::HttpClientResponse> answer = invalid_argument(target_.error);
    if (target_.error.empty()) {
        net::HttpClientRequest request = make_request();
        answer = co_await environment_.client.send(std::move(request));
        if (!answer && answer.error().code == Code::kCancelled) {
            co_return std::move(answer).error();
        }
    }
    const Result<void> taken = co_await net::offload(
        environment_.workers, [this, &answer, at, started] { return take(answer, at, started); });
    co_return taken;
}

// On a worker. Everything of the scrape becomes one append.
Result<void> ScrapePoll::take(const Result<net::HttpClientResponse>& answer, Timestamp at,
                              MonoTime started) {
    book_.begin_round();
    DecodedScrape scrape;
    Result<void> decoded = decode(answer, at, scrape);
    const std::size_t own_count = decoded ? scrape.samples.size() : 0;
    if (decoded) {
        keep_metadata();
        book_.commit(at, scrape.samples);
        environment_.metrics.of(Protocol::kScrape).count_repeated(scrape.repeated);
    } else {
        scrape.samples.clear();
        scrape.series.clear();
        scrape.exemplars.clear();
        scrape.added = 0;
        book_.fail(at, scrape.samples);
    }
    add_reports(scrape, decoded.has_value(), at, started, scrape.samples);
    const Result<model::AppendResult> stored = append(scrape, own_count);
    if (!stored) {
        return stored.error();
    }
    tell_refusals(config_->job_name, *stored, scrape.samples, told_);
    for (const model::Rejection& rejection : stored->rejected) {
        if (rejection.index < own_count) {
            SeriesBook::refuse(*scrape.series[rejection.index]);
        }
    }
    keep_exemplars(scrape, at);
    return decoded;
}

// Own samples first, the reports last; markers between them are of series that mostly go.
Result<model::AppendResult> ScrapePoll::append(const DecodedScrape& scrape, std::size_t own_count) {
    std::vector<model::SeriesHandle> handles(scrape.samples.size());
    for (std::size_t i = 0; i < own_count; ++i) {
        handles[i] = scrape.series[i]->handle;
    }
    const std::span<model::SeriesHandle> reports = std::span(handles).last(kReportCount);
    std::copy(report_handles_.begin(), report_handles_.end(), reports.begin());
    Result<model::AppendResult> stored =
        store(environment_, Protocol::kScrape, scrape.samples,
              {.out_of_order_window = config_->out_of_order_window, .handles = handles});
    if (stored) {
        for (std::size_t i = 0; i < own_count; ++i) {
            scrape.series[i]->handle = handles[i];
        }
        std::copy(reports.begin(), reports.end(), report_handles_.begin());
    }
    return stored;
}

void ScrapePoll::keep_metadata() {
    if (!decoder_.metadata_changed()) {
        return;
    }
    auto list = std::make_shared<const std::vector<model::MetricMetadata>>(decoder_.metadata());
    if (environment_.metadata != nullptr) {
        std::vector<wire::RemoteWriteMetadata> statements;
        for (const model::MetricMetadata& one : *list) {
            statements.push_back({one.family, one.type, one.help, one.unit});
        }
        environment_.metadata->put(statements);
    }
    const MutexLock lock(metadata_mutex_);
    metadata_ = std::move(list);
}

MetadataList ScrapePoll::metadata() const {
    const MutexLock lock(metadata_mutex_);
    return metadata_;
}

void ScrapePoll::keep_exemplars(DecodedScrape& scrape, Timestamp at) {
    for (ScrapedExemplar& one : scrape.exemplars) {
        environment_.exemplars.add(Protocol::kScrape, scrape.samples[one.sample].labels,
                                   std::move(one.exemplar), at);
    }
}

Result<void> ScrapePoll::decode(const Result<net::HttpClientResponse>& answer, Timestamp at,
                                DecodedScrape& scrape) {
    if (!answer) {
        return answer.error();
    }
    if (answer->status != 200) {
        return unavailable(fmt::format("server returned HTTP status {} {}", answer->status,
                                       net::reason_phrase(answer->status)));
    }
    KPID_TRY(const wire::ExpositionFormat format, format_of(*answer));
    return decoder_.decode(answer->body, format, at, scrape);
}

Result<wire::ExpositionFormat> ScrapePoll::format_of(const net::HttpClientResponse& answer) const {
    const std::string_view type = answer.headers.get_or(net::header::kContentType, "");
    const ProtocolName* fallback = find_protocol(config_->fallback_scrape_protocol);
    Result<wire::ExpositionFormat> format = wire::exposition_format_of(type);
    if (fallback != nullptr && (!format || type.empty())) {
        return fallback->format;
    }
    return format;
}

void ScrapePoll::add_reports(const DecodedScrape& scrape, bool up, Timestamp at, MonoTime started,
                             std::vector<model::SeriesSample>& samples) const {
    const std::chrono::duration<double> took = environment_.timers.clock().mono_now() - started;
    const std::array<double, kReportCount> values{
        up ? 1.0 : 0.0, took.count(), static_cast<double>(scrape.scraped),
        static_cast<double>(scrape.kept), static_cast<double>(scrape.added)};
    for (std::size_t i = 0; i < kReportCount; ++i) {
        samples.push_back({report_labels_[i], at, values[i]});
    }
}

Result<void> ScrapePoll::end(Timestamp at) {
    book_.begin_round();
    std::vector<model::SeriesSample> markers;
    book_.fail(at, markers);
    for (const model::Labels& labels : report_labels_) {
        markers.push_back({labels, at, model::stale_marker()});
    }
    const Result<model::AppendResult> stored = store(environment_, Protocol::kScrape, markers, {});
    if (!stored) {
        return stored.error();
    }
    return {};
}

}  // namespace kpid::ingest
