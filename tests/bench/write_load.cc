// The load of the benchmarks with peers.

#include "bench/write_load.h"

#include "bench/loopback_http.h"

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>
#include <snappy.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace kpid::bench {
namespace {

// Field numbers of prometheus.WriteRequest and of what is in it.
constexpr protozero::pbf_tag_type kRequestSeries = 1;
constexpr protozero::pbf_tag_type kSeriesLabels = 1;
constexpr protozero::pbf_tag_type kSeriesSamples = 2;
constexpr protozero::pbf_tag_type kLabelName = 1;
constexpr protozero::pbf_tag_type kLabelValue = 2;
constexpr protozero::pbf_tag_type kSampleValue = 1;
constexpr protozero::pbf_tag_type kSampleTime = 2;

// A server may merge its files for a while before it answers.
constexpr std::chrono::seconds kAnswerMax{120};
constexpr std::int64_t kTenth = 10;

constexpr std::string_view kHeaders =
    "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
    "X-Prometheus-Remote-Write-Version: 0.1.0\r\n";

// The i-th series of the services.
std::vector<LoadSeries::Label> service_labels(std::size_t i) {
    constexpr std::size_t kIndexes = 100;
    constexpr std::size_t kNames = 500;
    constexpr std::size_t kJobs = 97;
    return {
        {"__name__", fmt::format("load_metric_{}", i / kIndexes % kNames)},
        {"env", "prod"},
        {"idx", std::to_string(i % kIndexes)},
        {"instance", fmt::format("10.{}.{}.{}:9100", i >> 16U & 255U, i >> 8U & 255U, i & 255U)},
        {"job", fmt::format("load_{}", i % kJobs)},
        {"region", "eu-west-1"}};
}

// One connection's share of every round.
Result<SendReport> send_share(std::uint16_t port,
                              const std::vector<std::vector<std::string>>& rounds,
                              std::size_t first, std::size_t stride) {
    SendReport report;
    KPID_TRY(HttpConnection connection, HttpConnection::open(port, kAnswerMax));
    for (const std::vector<std::string>& round : rounds) {
        for (std::size_t i = first; i < round.size(); i += stride) {
            KPID_TRY(const auto response,
                     connection.request("POST", "/api/v1/write", kHeaders, round[i]));
            if (response.status / 100 == 2) {
                continue;
            }
            ++report.refused;
            if (report.first_refusal.empty()) {
                report.first_refusal = fmt::format("{}: {}", response.status, response.body);
            }
        }
    }
    return report;
}

}  // namespace

LoadSeries::LoadSeries(const std::vector<Label>& labels_of_it, Steps how_it_steps,
                       std::int64_t start_in_tenths)
    : steps(how_it_steps), tenths(start_in_tenths) {
    protozero::pbf_writer series(labels);
    for (const auto& [name, value] : labels_of_it) {
        protozero::pbf_writer label(series, kSeriesLabels);
        label.add_string(kLabelName, name.data(), name.size());
        label.add_string(kLabelValue, value);
    }
}

WriteLoad::WriteLoad(const Shape& shape) : batch_size_(shape.batch_size), random_(shape.seed) {
    constexpr std::uint64_t kCounterStart = 1'000'000;
    constexpr std::uint64_t kGaugeStart = 1'000;
    constexpr std::array kKinds{Steps::kCounter, Steps::kCounter, Steps::kWholeWalk,
                                Steps::kTenthWalk};
    series_.reserve(shape.series);
    for (std::size_t i = 0; i < shape.series; ++i) {
        const Steps steps = kKinds.at(i % kKinds.size());
        const std::int64_t tenths =
            steps == Steps::kCounter ? static_cast<std::int64_t>(random_() % kCounterStart) * kTenth
                                     : static_cast<std::int64_t>(random_() % kGaugeStart);
        series_.emplace_back(service_labels(i), steps, tenths);
    }
}

void WriteLoad::step(LoadSeries& series) {
    constexpr std::uint64_t kCounterSteps = 50;
    constexpr std::uint64_t kResetEvery = 500;
    constexpr std::uint64_t kRareEvery = 100;
    constexpr std::uint64_t kWholeSteps = 3;
    constexpr std::uint64_t kTenthSteps = 21;
    constexpr std::uint64_t kLowValues = 5;
    const std::uint64_t chance = random_();
    const auto below = [chance](std::uint64_t bound) {
        return static_cast<std::int64_t>(chance % bound);
    };
    switch (series.steps) {
        case Steps::kCounter:
            series.tenths += below(kCounterSteps) * kTenth;
            break;
        case Steps::kResetCounter: {
            const bool resets = chance / kCounterSteps % kResetEvery == 0;
            series.tenths = (resets ? 0 : series.tenths) + below(kCounterSteps) * kTenth;
            break;
        }
        case Steps::kRareCounter:
            series.tenths += below(kRareEvery) == 0 ? kTenth : 0;
            break;
        case Steps::kWholeWalk:
            series.tenths += (below(kWholeSteps) - 1) * kTenth;
            series.tenths = std::max<std::int64_t>(series.tenths, 0);
            break;
        case Steps::kTenthWalk:
            series.tenths += below(kTenthSteps) - kTenth;
            break;
        case Steps::kLow:
            series.tenths = below(kLowValues) * kTenth;
            break;
    }
}

std::vector<std::string> WriteLoad::next_round(std::int64_t ms) {
    std::vector<std::string> bodies;
    std::string request;
    std::string series;
    std::string sample;
    for (std::size_t begin = 0; begin < series_.size(); begin += batch_size_) {
        request.clear();
        protozero::pbf_writer all(request);
        const std::size_t end = std::min(series_.size(), begin + batch_size_);
        for (std::size_t i = begin; i < end; ++i) {
            step(series_[i]);
            sample.clear();
            protozero::pbf_writer one(sample);
            one.add_double(kSampleValue,
                           static_cast<double>(series_[i].tenths) / static_cast<double>(kTenth));
            one.add_int64(kSampleTime, ms);
            series = series_[i].labels;
            protozero::pbf_writer(series).add_message(kSeriesSamples, sample);
            all.add_message(kRequestSeries, series);
        }
        std::string body;
        snappy::Compress(request.data(), request.size(), &body);
        bodies.push_back(std::move(body));
    }
    return bodies;
}

Result<SendReport> send_rounds(std::uint16_t port,
                               const std::vector<std::vector<std::string>>& rounds,
                               std::size_t connections) {
    std::vector<Result<SendReport>> reports(connections);
    std::vector<std::thread> senders;
    const SteadyClock::time_point begin = SteadyClock::now();
    for (std::size_t i = 0; i < connections; ++i) {
        senders.emplace_back([&reports, &rounds, port, i, connections] {
            reports[i] = send_share(port, rounds, i, connections);
        });
    }
    for (std::thread& sender : senders) {
        sender.join();
    }
    SendReport all;
    all.wall_seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    for (const Result<SendReport>& report : reports) {
        if (!report) {
            return report.error();
        }
        all.refused += report->refused;
        if (all.first_refusal.empty()) {
            all.first_refusal = report->first_refusal;
        }
    }
    return all;
}

}  // namespace kpid::bench
