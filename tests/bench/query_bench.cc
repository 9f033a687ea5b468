// Queries over six hours of 10,000 series, kpid beside Prometheus and VictoriaMetrics: CPU time of
// the server a query, and its memory.
//
// usage: query_bench [KPID] [--quick] [--only=NAME] [--peers=FOLDER] [--json=FILE] [--seed=N]
//
// The arguments are those of remote_write_bench; --only is the name of one query. Exit code: 0
// however slow, 1 when kpid did not run or answers something else than Prometheus, 2 after a
// mistake on the command line.

#include "bench/comparison.h"
#include "bench/load_run.h"
#include "bench/loopback_http.h"
#include "bench/query_answer.h"
#include "bench/write_load.h"
#include "bench/write_servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using kpid::JsonWriter;
using kpid::Result;
using kpid::bench::Arguments;
using kpid::bench::check_same;
using kpid::bench::Figures;
using kpid::bench::first_of_rounds;
using kpid::bench::form_encode;
using kpid::bench::HttpConnection;
using kpid::bench::LoadRun;
using kpid::bench::LoadSeries;
using kpid::bench::post_form;
using kpid::bench::Program;
using kpid::bench::QueryAnswer;
using kpid::bench::read_answer;
using kpid::bench::SteadyClock;
using kpid::bench::Steps;
using kpid::bench::WriteLoad;
using kpid::bench::WriteServer;

constexpr std::chrono::seconds kAnswerMax{120};
constexpr std::size_t kRounds = 1440;
// Values of the label `l`.
constexpr std::size_t kGroups = 10;
// From the newest sample back to the last instant asked for: a query never hits a sample, nor does
// the begin of its windows, as programs differ in what a window's first instant means.
constexpr std::int64_t kBehindMs = 8'000;

struct Query {
    const char* name;
    const char* title;
    std::string expression;
    std::int64_t span_ms;  // 0 for one instant.
    std::int64_t step_ms;
    std::size_t series;  // In the answer.
};

struct Amounts {
    std::size_t series = 10'000;
    std::size_t readings = 5;
    /// CPU time between two readings: the kernel counts hundredths.
    double reading_seconds = 0.5;
    std::size_t repeats_max = 1'000;
    std::chrono::seconds rest{3};
};

Amounts amounts_of(const Arguments& arguments) {
    if (arguments.quick) {
        return {
            .series = 200, .readings = 1, .reading_seconds = 0.02, .rest = std::chrono::seconds(0)};
    }
    return {};
}

std::vector<Query> queries_of(const Amounts& amounts) {
    constexpr std::int64_t kMinute = 60'000;
    constexpr std::int64_t kHour = 60 * kMinute;
    // The six hours that are there, but for the first windows.
    constexpr std::int64_t kSixHours = 6 * kHour - 10 * kMinute;
    constexpr std::int64_t kStep = 15'000;
    const std::string sum = "sum by (l) (rate(x[5m]))";
    const std::size_t of_a_group = amounts.series / kGroups;
    return {
        {"sum_rate_6h_60s", "sum by (l) (rate(x[5m])), 6 h at 60 s", sum, kSixHours, kMinute,
         kGroups},
        {"sum_rate_6h_15s", "the same, 6 h at 15 s", sum, kSixHours, kStep, kGroups},
        {"sum_rate_1h_15s", "the same, 1 h at 15 s", sum, kHour, kStep, kGroups},
        {"sum_rate_instant", "the same, one instant", sum, 0, kStep, kGroups},
        {"one_series_6h", "x{instance=..}, one series, 6 h at 15 s",
         R"(x{instance="10.0.0.7:9100"})", kSixHours, kStep, 1},
        {"avg_1h_6h_60s", "avg_over_time(x{l=..}[1h]), 6 h at 60 s",
         R"(avg_over_time(x{l="l3"}[1h]))", kSixHours, kMinute, of_a_group},
        {"max_avg_1h_6h_60s", "max(avg_over_time(x{l=..}[1h])), the same",
         R"(max(avg_over_time(x{l="l3"}[1h])))", kSixHours, kMinute, 1},
        {"ratio_6h_60s", "sum(rate(x{l=~..}[5m])) / sum(rate(x[5m])), same",
         R"(sum(rate(x{l=~"l[1-4]"}[5m])) / sum(rate(x[5m])))", kSixHours, kMinute, 1},
    };
}

std::vector<LoadSeries> make_series(const Amounts& amounts, std::uint64_t seed) {
    constexpr std::size_t kJobs = 100;
    constexpr std::uint64_t kStartMax = 10'000'000;
    std::mt19937_64 random(seed);
    std::vector<LoadSeries> series;
    for (std::size_t i = 0; i < amounts.series; ++i) {
        series.emplace_back(
            std::vector<LoadSeries::Label>{
                {"__name__", "x"},
                {"instance", fmt::format("10.0.{}.{}:9100", i >> 8U & 255U, i & 255U)},
                {"job", fmt::format("svc{}", i % kJobs)},
                {"l", fmt::format("l{}", i % kGroups)}},
            Steps::kResetCounter, static_cast<std::int64_t>(random() % kStartMax) / 10 * 10);
    }
    return series;
}

/// Asks one program.
class Asker {
public:
    Asker(const WriteServer& server, HttpConnection connection, const Program& program,
          std::int64_t end_ms)
        : server_(server),
          connection_(std::move(connection)),
          suffix_(program.kind == Program::Kind::kVictoriaMetrics ? "&nocache=1" : ""),
          end_ms_(end_ms) {}

    Result<std::string> ask(const Query& query) {
        const std::string form = "query=" + form_encode(query.expression);
        if (query.span_ms == 0) {
            return post_form(connection_, "/api/v1/query",
                             fmt::format("{}&time={:.3f}{}", form, seconds(end_ms_), suffix_));
        }
        return post_form(connection_, "/api/v1/query_range",
                         fmt::format("{}&start={:.3f}&end={:.3f}&step={}{}", form,
                                     seconds(end_ms_ - query.span_ms), seconds(end_ms_),
                                     seconds(query.step_ms), suffix_));
    }

    /// CPU seconds of one query: so many are asked between two readings that the figure has two
    /// digits. The median of the readings.
    Result<double> cpu_seconds(const Query& query, const Amounts& amounts) {
        const auto begin = SteadyClock::now();
        KPID_TRY(const std::string warm, ask(query));
        const std::chrono::duration<double> took = SteadyClock::now() - begin;
        const double wanted = std::ceil(amounts.reading_seconds / std::max(took.count(), 1e-6));
        const auto repeats = static_cast<std::size_t>(
            std::clamp(wanted, 1.0, static_cast<double>(amounts.repeats_max)));
        std::vector<double> readings;
        for (std::size_t reading = 0; reading < amounts.readings; ++reading) {
            const double before = server_.cpu_seconds();
            for (std::size_t i = 0; i < repeats; ++i) {
                KPID_TRY(const std::string body, ask(query));
            }
            readings.push_back((server_.cpu_seconds() - before) / static_cast<double>(repeats));
        }
        std::sort(readings.begin(), readings.end());
        return readings[readings.size() / 2];
    }

private:
    static double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

    const WriteServer& server_;
    HttpConnection connection_;
    std::string suffix_;
    std::int64_t end_ms_;
};

/// Whether the answer has the shape it must have.
Result<void> check_shape(const Query& query, const QueryAnswer& answer) {
    const auto steps = static_cast<std::size_t>(query.span_ms / query.step_ms) + 1;
    const std::size_t points = query.series * steps;
    if (answer.series.size() != query.series || answer.point_count() != points) {
        return kpid::internal_error(
            fmt::format("the answer has {} series and {} points, not {} and {}",
                        answer.series.size(), answer.point_count(), query.series, points));
    }
    return {};
}

using Answers = std::map<std::string, QueryAnswer>;

/// Measures one program; keeps what kpid and Prometheus answered.
class Measurement {
public:
    Result<void> measure(const Program& program, const Arguments& arguments, Figures& figures) {
        const Amounts amounts = amounts_of(arguments);
        if (first_ms_ == 0) {
            first_ms_ = first_of_rounds(kRounds);
        }
        KPID_TRY(const auto server, program.start());
        LoadRun run(*server,
                    WriteLoad({.seed = arguments.seed}, make_series(amounts, arguments.seed)),
                    first_ms_);
        KPID_TRY(const double loaded, run.send(kRounds, std::chrono::milliseconds(0)));
        static_cast<void>(loaded);
        KPID_CHECK_OK(server->settle(amounts.rest));
        figures["resident_mib"] = mebibytes(server->resident_bytes());
        KPID_TRY(HttpConnection connection, HttpConnection::open(server->port(), kAnswerMax));
        Asker asker(*server, std::move(connection), program, run.last_ms() - kBehindMs);
        for (const Query& query : queries_of(amounts)) {
            if (!arguments.takes(query.name)) {
                continue;
            }
            const Result<void> measured =
                measure_query(program, *server, asker, query, amounts, figures);
            if (!measured) {
                return measured.error().with_context(query.name);
            }
        }
        return {};
    }

    /// Whether kpid answered what Prometheus answered.
    [[nodiscard]] Result<void> check() const {
        for (const auto& [name, theirs] : prometheus_) {
            const Result<void> same = check_same(kpid_.at(name), theirs);
            if (!same) {
                return same.error().with_context("unlike Prometheus: " + name);
            }
        }
        fmt::print("{} answers are Prometheus' to 1e-9\n", prometheus_.size());
        return {};
    }

private:
    static double mebibytes(std::uint64_t bytes) {
        constexpr double kMebibyte = 1 << 20;
        return static_cast<double>(bytes) / kMebibyte;
    }

    Result<void> measure_query(const Program& program, const WriteServer& server, Asker& asker,
                               const Query& query, const Amounts& amounts, Figures& figures) {
        const bool peak_is_its_own = server.start_peak();
        KPID_TRY(const std::string body, asker.ask(query));
        KPID_TRY(QueryAnswer answer, read_answer(body));
        KPID_CHECK_OK(check_shape(query, answer));
        if (program.is_kpid()) {
            kpid_.emplace(query.name, std::move(answer));
        } else if (program.kind == Program::Kind::kPrometheus) {
            prometheus_.emplace(query.name, std::move(answer));
        }
        const std::string name = query.name;
        KPID_TRY(figures[name + "_cpu_seconds"], asker.cpu_seconds(query, amounts));
        if (!peak_is_its_own) {
            fmt::print("!! the peak of memory is that since the start of {}\n", program.name);
        }
        figures[name + "_peak_mib"] = mebibytes(server.peak_bytes());
        return {};
    }

    std::int64_t first_ms_ = 0;  // The same for every program.
    Answers kpid_;
    Answers prometheus_;
};

void describe(const Arguments& arguments, JsonWriter& json) {
    const Amounts amounts = amounts_of(arguments);
    json.key("series").number(amounts.series).key("samples_each").number(kRounds);
    json.key("readings").number(amounts.readings);
}

}  // namespace

int main(int argc, char** argv) {
    kpid::bench::Comparison comparison{.name = "query", .describe = describe};
    constexpr double kMilli = 1e-3;
    for (const Query& query : queries_of({})) {
        const std::string name = query.name;
        comparison.parts.push_back(name);
        comparison.rows.push_back(
            {name + "_cpu_seconds", fmt::format("{}, CPU ms", query.title), kMilli});
    }
    comparison.rows.push_back({"resident_mib", "resident before, MiB"});
    for (const Query& query : queries_of({})) {
        comparison.rows.push_back(
            {std::string(query.name) + "_peak_mib", fmt::format("peak of {}, MiB", query.name)});
    }
    Measurement measurement;
    comparison.measure = [&measurement](const Program& program, const Arguments& arguments,
                                        Figures& figures) {
        return measurement.measure(program, arguments, figures);
    };
    comparison.check = [&measurement] { return measurement.check(); };
    return kpid::bench::compare(argc, argv, comparison);
}
