// A round of many alerting rules, kpid beside Prometheus and VictoriaMetrics with vmalert: CPU time
// that a round adds to the server's, and how long it takes.
//
// usage: rules_bench [KPID] [--quick] [--only=avg|ratio] [--peers=FOLDER] [--json=FILE] [--seed=N]
//
// The arguments are those of remote_write_bench. Exit code: 0 however slow, 1 when kpid did not
// run, a rule failed or other alerts fire than must, 2 after a mistake on the command line.

#include "bench/comparison.h"
#include "bench/load_run.h"
#include "bench/loopback_http.h"
#include "bench/write_load.h"
#include "bench/write_servers.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using kpid::JsonWriter;
using kpid::Result;
using kpid::bench::Arguments;
using kpid::bench::Figures;
using kpid::bench::first_of_rounds;
using kpid::bench::HttpConnection;
using kpid::bench::LoadRun;
using kpid::bench::LoadSeries;
using kpid::bench::Program;
using kpid::bench::SteadyClock;
using kpid::bench::Steps;
using kpid::bench::WriteLoad;
using kpid::bench::WriteServer;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kAnswerMax{120};
// Rounds of samples before anything is measured.
constexpr std::size_t kHistoryRounds = 40;
// One rule in so many fires.
constexpr std::size_t kFiringEvery = 100;
constexpr std::string_view kGroup = "bench";

struct Amounts {
    std::size_t average_rules = 10'000;
    std::size_t ratio_rules = 1'000;
    std::size_t ratio_series_each = 100;  ///< Half of them `m`, half `n`.
    std::size_t batch_size = 2'000;
    /// Of the rule group.
    milliseconds interval{10'000};
    /// From one round of samples to the next.
    milliseconds pace{15'000};
    /// Rounds of rules in what is measured, a whole number of paces.
    std::size_t rounds = 6;
    std::chrono::seconds rest{3};
};

Amounts amounts_of(const Arguments& arguments) {
    if (arguments.quick) {
        return {.average_rules = 200,
                .ratio_rules = 100,
                .ratio_series_each = 10,
                .batch_size = 500,
                .interval = milliseconds(1'000),
                .pace = milliseconds(1'000),
                .rounds = 1,
                .rest = std::chrono::seconds(0)};
    }
    return {};
}

/// Rules, the series they read, and which of them fire.
struct Work {
    std::string name;
    std::vector<LoadSeries> series;
    std::string rules;
    std::size_t rule_count = 0;
    std::set<std::string> firing;
};

std::string group_head(const Amounts& amounts) {
    return fmt::format("groups:\n- name: {}\n  interval: {}ms\n  rules:\n", kGroup,
                       amounts.interval.count());
}

void add_rule(Work& work, const std::string& expression) {
    const std::string name = fmt::format("A{}", work.rule_count);
    work.rules += fmt::format("  - alert: {}\n    expr: {}\n", name, expression);
    if (work.rule_count % kFiringEvery == 0) {
        work.firing.insert(name);
    }
    ++work.rule_count;
}

std::string instance(std::size_t i) {
    return fmt::format("10.{}.{}.{}:9100", i >> 16U & 255U, i >> 8U & 255U, i & 255U);
}

/// One gauge a rule, around 50 or, where the rule fires, below 5.
Work average_work(const Amounts& amounts) {
    constexpr std::size_t kJobs = 100;
    constexpr std::int64_t kStartTenths = 500;
    Work work{.name = "avg", .rules = group_head(amounts)};
    for (std::size_t i = 0; i < amounts.average_rules; ++i) {
        work.series.emplace_back(
            std::vector<LoadSeries::Label>{{"__name__", fmt::format("kpi_{}", i)},
                                           {"instance", instance(i)},
                                           {"job", fmt::format("svc{}", i % kJobs)}},
            i % kFiringEvery == 0 ? Steps::kLow : Steps::kWholeWalk, kStartTenths);
        add_rule(work, fmt::format("avg_over_time(kpi_{}[5m]) < 10", i));
    }
    return work;
}

/// A job a rule: `n` counts requests, `m` errors, which are rare but where the rule fires.
Work ratio_work(const Amounts& amounts) {
    Work work{.name = "ratio", .rules = group_head(amounts)};
    const std::size_t count = amounts.ratio_rules * amounts.ratio_series_each;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t job = i % amounts.ratio_rules;
        const bool errors = i / amounts.ratio_rules % 2 == 1;
        const bool rare = errors && job % kFiringEvery != 0;
        work.series.emplace_back(std::vector<LoadSeries::Label>{{"__name__", errors ? "m" : "n"},
                                                                {"instance", instance(i)},
                                                                {"job", fmt::format("job{}", job)}},
                                 rare ? Steps::kRareCounter : Steps::kCounter, 0);
    }
    for (std::size_t i = 0; i < amounts.ratio_rules; ++i) {
        add_rule(work, fmt::format("sum(rate(m{{job=\"job{}\"}}[5m])) / "
                                   "sum(rate(n{{job=\"job{}\"}}[5m])) > 0.05",
                                   i, i));
    }
    return work;
}

/// What a program tells of its rules so far.
struct Progress {
    double evaluations = 0;  ///< Of rules.
    double failures = 0;
    double missed = 0;
    double rounds = 0;
    double seconds = 0;  ///< Of all rounds together.
};

/// The names of the metrics that tell it; labels of a line are part of its name.
struct MetricNames {
    std::string_view evaluations;
    std::string_view failures;
    std::string_view missed;
    std::string_view rounds;
    std::string_view seconds;
};

MetricNames metric_names(Program::Kind kind) {
    switch (kind) {
        case Program::Kind::kKpid:
            return {R"(kpid_evaluations_total{kind="rule"})",
                    R"(kpid_evaluation_failures_total{kind="rule"})",
                    "kpid_evaluation_missed_total", "kpid_evaluation_duration_seconds_count",
                    "kpid_evaluation_duration_seconds_sum"};
        case Program::Kind::kPrometheus:
            return {"prometheus_rule_evaluations_total",
                    "prometheus_rule_evaluation_failures_total",
                    "prometheus_rule_group_iterations_missed_total",
                    "prometheus_rule_group_duration_seconds_count",
                    "prometheus_rule_group_duration_seconds_sum"};
        case Program::Kind::kVictoriaMetrics:
            break;
    }
    return {"vmalert_execution_total", "vmalert_execution_errors_total",
            "vmalert_iteration_missed_total", "vmalert_iteration_duration_seconds_count",
            "vmalert_iteration_duration_seconds_sum"};
}

/// The sum over the lines of one name, whatever labels follow it.
double sum_of(std::string_view page, std::string_view name) {
    double sum = 0;
    while (!page.empty()) {
        const std::size_t end = std::min(page.find('\n'), page.size());
        const std::string_view line = page.substr(0, end);
        page.remove_prefix(std::min(end + 1, page.size()));
        const bool fits = line.starts_with(name) && line.size() > name.size() &&
                          (line[name.size()] == ' ' || line[name.size()] == '{');
        if (fits) {
            sum += std::strtod(std::string(line.substr(line.rfind(' ') + 1)).c_str(), nullptr);
        }
    }
    return sum;
}

Result<std::string> get(const WriteServer& server, std::string_view path) {
    KPID_TRY(HttpConnection connection, HttpConnection::open(server.rules_port(), kAnswerMax));
    KPID_TRY(auto response, connection.request("GET", path, "", ""));
    if (response.status != 200) {
        return kpid::unavailable(fmt::format("{} answered {}", path, response.status));
    }
    return std::move(response.body);
}

Result<Progress> read_progress(const Program& program, const WriteServer& server) {
    KPID_TRY(const std::string page, get(server, "/metrics"));
    const MetricNames names = metric_names(program.kind);
    return Progress{.evaluations = sum_of(page, names.evaluations),
                    .failures = sum_of(page, names.failures),
                    .missed = sum_of(page, names.missed),
                    .rounds = sum_of(page, names.rounds),
                    .seconds = sum_of(page, names.seconds)};
}

/// Waits for the end of a round after `rounds` of them.
Result<Progress> wait_for_round(const Program& program, const WriteServer& server, double rounds) {
    constexpr std::chrono::minutes kRoundMax{2};
    constexpr milliseconds kLookInterval{50};
    const auto deadline = SteadyClock::now() + kRoundMax;
    for (;;) {
        KPID_TRY(const Progress progress, read_progress(program, server));
        if (progress.rounds > rounds) {
            return progress;
        }
        if (SteadyClock::now() > deadline) {
            return kpid::unavailable("the rules were not evaluated in time");
        }
        std::this_thread::sleep_for(kLookInterval);
    }
}

/// CPU seconds of the server while samples come at their pace, for as long as the rounds of rules
/// take. It begins after the end of a round: the last one ends a little before this.
Result<double> run_paced(const Amounts& amounts, const WriteServer& server, LoadRun& run) {
    const auto length = amounts.interval * amounts.rounds;
    const auto margin = amounts.interval / 5;
    const auto begin = SteadyClock::now();
    const double before = server.cpu_seconds();
    for (auto at = amounts.interval / 10; at < length; at += amounts.pace) {
        std::this_thread::sleep_until(begin + at);
        KPID_CHECK_OK(run.send_now());
    }
    std::this_thread::sleep_until(begin + length + margin);
    return server.cpu_seconds() - before;
}

Result<simdjson::dom::element> data_of(simdjson::dom::parser& parser, const std::string& body) {
    simdjson::dom::element data;
    if (parser.parse(body)["data"].get(data) != simdjson::SUCCESS) {
        return kpid::invalid_argument("not an answer: " + body.substr(0, 200));
    }
    return data;
}

/// Whether every rule is there and well.
Result<void> check_rules(const WriteServer& server, const Work& work) {
    KPID_TRY(const std::string body, get(server, "/api/v1/rules"));
    simdjson::dom::parser parser;
    KPID_TRY(const simdjson::dom::element data, data_of(parser, body));
    std::size_t well = 0;
    for (const simdjson::dom::element group : data["groups"].get_array()) {
        std::string_view name;
        simdjson::dom::array rules;
        if (group["name"].get(name) != simdjson::SUCCESS || name != kGroup ||
            group["rules"].get(rules) != simdjson::SUCCESS) {
            continue;
        }
        for (const simdjson::dom::element rule : rules) {
            std::string_view health;
            const bool has_health = rule["health"].get(health) == simdjson::SUCCESS;
            well += has_health && health == "ok" ? 1U : 0U;
        }
    }
    if (well != work.rule_count) {
        return kpid::internal_error(fmt::format("{} of {} rules are well", well, work.rule_count));
    }
    return {};
}

/// Whether exactly those alerts fire that must.
Result<void> check_alerts(const WriteServer& server, const Work& work) {
    KPID_TRY(const std::string body, get(server, "/api/v1/alerts"));
    simdjson::dom::parser parser;
    KPID_TRY(const simdjson::dom::element data, data_of(parser, body));
    std::set<std::string> firing;
    for (const simdjson::dom::element alert : data["alerts"].get_array()) {
        std::string_view name;
        std::string_view state;
        // vmalert has the name beside the labels.
        const bool named = alert["labels"]["alertname"].get(name) == simdjson::SUCCESS ||
                           alert["name"].get(name) == simdjson::SUCCESS;
        if (named && alert["state"].get(state) == simdjson::SUCCESS && state == "firing") {
            firing.emplace(name);
        }
    }
    if (firing != work.firing) {
        return kpid::internal_error(fmt::format("{} alerts fire; the {} that must are others",
                                                firing.size(), work.firing.size()));
    }
    return {};
}

Result<void> measure_work(const Program& program, const Arguments& arguments, const Work& work,
                          Figures& figures) {
    const Amounts amounts = amounts_of(arguments);
    KPID_TRY(const auto server, program.start());
    LoadRun run(*server,
                WriteLoad({.batch_size = amounts.batch_size, .seed = arguments.seed}, work.series),
                first_of_rounds(kHistoryRounds, 1));
    KPID_TRY(const double loaded, run.send(kHistoryRounds, milliseconds(0)));
    static_cast<void>(loaded);
    KPID_CHECK_OK(server->settle(amounts.rest));
    KPID_TRY(const double without_rules, run_paced(amounts, *server, run));

    KPID_CHECK_OK(server->start_rules(work.rules));
    // The first round makes what later ones find.
    KPID_TRY(const Progress first, wait_for_round(program, *server, 0));
    KPID_TRY(const Progress before, wait_for_round(program, *server, first.rounds));
    KPID_TRY(const double with_rules, run_paced(amounts, *server, run));
    // On a busy machine the one round of a quick run may still be under way.
    KPID_TRY(const Progress after, wait_for_round(program, *server, before.rounds));

    const double rounds = after.rounds - before.rounds;
    if (after.failures > 0) {
        return kpid::internal_error(fmt::format("{} evaluations failed", after.failures));
    }
    if (after.missed > 0 || rounds != static_cast<double>(amounts.rounds)) {
        fmt::print("!! {}, {}: {} rounds instead of {}, {} missed\n", program.name, work.name,
                   rounds, amounts.rounds, after.missed);
    }
    const double evaluations = (after.evaluations - before.evaluations) / rounds;
    if (evaluations != static_cast<double>(work.rule_count)) {
        fmt::print("!! {}, {}: {} rules evaluated a round\n", program.name, work.name, evaluations);
    }
    constexpr double kMebibyte = 1 << 20;
    // The kernel counts hundredths.
    constexpr double kTick = 0.01;
    figures[work.name + "_round_cpu_seconds"] =
        std::max(with_rules - without_rules, kTick) / rounds;
    figures[work.name + "_round_seconds"] = (after.seconds - before.seconds) / rounds;
    figures[work.name + "_without_rules_cpu_seconds"] = without_rules;
    figures[work.name + "_rounds"] = rounds;
    figures[work.name + "_missed"] = after.missed;
    figures[work.name + "_resident_mib"] =
        static_cast<double>(server->resident_bytes()) / kMebibyte;
    KPID_CHECK_OK(check_rules(*server, work));
    return check_alerts(*server, work);
}

Result<void> measure(const Program& program, const Arguments& arguments, Figures& figures) {
    const Amounts amounts = amounts_of(arguments);
    for (Work (*make)(const Amounts&) : {average_work, ratio_work}) {
        const Work work = make(amounts);
        if (!arguments.takes(work.name)) {
            continue;
        }
        const Result<void> measured = measure_work(program, arguments, work, figures);
        if (!measured) {
            return measured.error().with_context(work.name);
        }
    }
    return {};
}

void describe(const Arguments& arguments, JsonWriter& json) {
    const Amounts amounts = amounts_of(arguments);
    json.key("average_rules").number(amounts.average_rules);
    json.key("ratio_rules").number(amounts.ratio_rules);
    json.key("ratio_series").number(amounts.ratio_rules * amounts.ratio_series_each);
    json.key("interval_ms").number(amounts.interval.count());
    json.key("pace_ms").number(amounts.pace.count());
    json.key("rounds").number(amounts.rounds);
}

}  // namespace

int main(int argc, char** argv) {
    constexpr double kMilli = 1e-3;
    return kpid::bench::compare(
        argc, argv,
        {.name = "rules",
         .parts = {"avg", "ratio"},
         .rows = {{"avg_round_cpu_seconds", "10,000 of avg_over_time < 10, a round, CPU ms",
                   kMilli},
                  {"avg_round_seconds", "the same by the program's own clock, ms", kMilli},
                  {"avg_resident_mib", "resident memory then, MiB"},
                  {"ratio_round_cpu_seconds", "1,000 of sum(rate) / sum(rate), a round, CPU ms",
                   kMilli},
                  {"ratio_round_seconds", "the same by the program's own clock, ms", kMilli},
                  {"ratio_resident_mib", "resident memory then, MiB"}},
         .describe = describe,
         .measure = measure});
}
