// How fast the decoders of the hot paths are: samples and bytes each second.

#include "kpid/wire/exposition.h"
#include "kpid/wire/push_json.h"
#include "kpid/wire/remote_write.h"
#include "kpid/wire/statsd.h"
#include "support/remote_write_body.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>

namespace kpid::wire {
namespace {

constexpr int kSamples = 10'000;

std::string exposition(bool open) {
    std::string text =
        "# HELP http_request_duration_seconds Time of requests.\n"
        "# TYPE http_request_duration_seconds gauge\n";
    for (int i = 0; i < kSamples; ++i) {
        text += fmt::format(
            "http_request_duration_seconds{{method=\"GET\",path=\"/api/v1/item/{}\",code=\"200\","
            "pod=\"web-7d4b9c6f5-{:05}\"}} {}\n",
            i % 100, i, i * 0.37);
    }
    return open ? text + "# EOF\n" : text;
}

class CountingSink final : public ExpositionSink {
public:
    Result<void> on_sample(const SampleEvent& sample) override {
        sum += sample.value;
        return {};
    }
    double sum = 0;
};

class BuildingSink final : public ExpositionSink {
public:
    Result<void> on_sample(const SampleEvent& sample) override {
        hash ^= sample.build_labels().hash();
        return {};
    }
    std::uint64_t hash = 0;
};

void count(benchmark::State& state, std::size_t bytes) {
    state.SetItemsProcessed(state.iterations() * kSamples);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

template <class Sink>
void read_text(benchmark::State& state, ExpositionFormat format, Strictness strictness) {
    const std::string text = exposition(format == ExpositionFormat::kOpenMetrics);
    for (auto _ : state) {
        Sink sink;
        if (!read_exposition(text, {.format = format, .strictness = strictness}, sink)) {
            std::abort();
        }
        benchmark::DoNotOptimize(sink);
    }
    count(state, text.size());
}

void scrape_text(benchmark::State& state) {
    read_text<CountingSink>(state, ExpositionFormat::kText, Strictness::kScrape);
}
void scrape_text_with_labels(benchmark::State& state) {
    read_text<BuildingSink>(state, ExpositionFormat::kText, Strictness::kScrape);
}
void push_text(benchmark::State& state) {
    read_text<CountingSink>(state, ExpositionFormat::kText, Strictness::kStrict);
}
void scrape_openmetrics(benchmark::State& state) {
    read_text<CountingSink>(state, ExpositionFormat::kOpenMetrics, Strictness::kScrape);
}

void push_json(benchmark::State& state) {
    std::string text = "[";
    for (int i = 0; i < kSamples; ++i) {
        text += fmt::format(
            "{}{{\"metric\":\"orders\",\"labels\":{{\"shop\":\"s{}\",\"region\":\"eu\"}},\"value\":"
            "{}}}",
            i == 0 ? "" : ",", i, i * 0.37);
    }
    text += "]";
    for (auto _ : state) {
        benchmark::DoNotOptimize(decode_push_json(text, Timestamp(1000)));
    }
    count(state, text.size());
}

void statsd(benchmark::State& state) {
    std::string text;
    for (int i = 0; i < kSamples; ++i) {
        text += fmt::format("app.requests:{}|c|@0.5|#env:prod,node:n{}\n", i, i % 100);
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(parse_statsd(text, StatsdDialect::kEtsy));
    }
    count(state, text.size());
}

std::vector<testing::SentSeries> sent_series() {
    std::vector<testing::SentSeries> all(kSamples);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].labels = {{"__name__", fmt::format("kpi_metric_{}", i / 100)},
                         {"env", "prod"},
                         {"idx", fmt::format("{}", i % 100)},
                         {"instance", fmt::format("10.0.{}.{}:9100", i / 256, i % 256)},
                         {"job", fmt::format("svc{}", i % 97)},
                         {"region", "eu-west-1"}};
        all[i].samples = {{1'795'314'674'771, static_cast<double>(i) * 0.37}};
    }
    return all;
}

// Snappy and protobuf; labels unread.
void remote_write_v1(benchmark::State& state) {
    const std::string body = testing::snappy_block(testing::request_message_v1(sent_series()));
    RemoteWriteDecoder decoder;
    for (auto _ : state) {
        benchmark::DoNotOptimize(decoder.decode(body, RemoteWriteVersion::kV1));
    }
    count(state, body.size());
}
void remote_write_v2(benchmark::State& state) {
    const std::string body = testing::snappy_block(testing::request_message_v2(sent_series()));
    RemoteWriteDecoder decoder;
    for (auto _ : state) {
        benchmark::DoNotOptimize(decoder.decode(body, RemoteWriteVersion::kV2));
    }
    count(state, body.size());
}
void remote_write_with_labels(benchmark::State& state) {
    const std::string body = testing::snappy_block(testing::request_message_v1(sent_series()));
    RemoteWriteDecoder decoder;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            series_samples(decoder.decode(body, RemoteWriteVersion::kV1).value()));
    }
    count(state, body.size());
}

BENCHMARK(scrape_text);
BENCHMARK(scrape_text_with_labels);
BENCHMARK(push_text);
BENCHMARK(scrape_openmetrics);
BENCHMARK(push_json);
BENCHMARK(statsd);
BENCHMARK(remote_write_v1);
BENCHMARK(remote_write_v2);
BENCHMARK(remote_write_with_labels);

}  // namespace
}  // namespace kpid::wire
