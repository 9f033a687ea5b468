// Remote write, kpid beside Prometheus and VictoriaMetrics: samples and new series a CPU second of
// the server, its memory, and bytes on the disk.
//
// usage: remote_write_bench [KPID] [--quick] [--only=NAME] [--peers=FOLDER] [--json=FILE]
// [--seed=N]
//
// KPID is the program to measure (default: kpid in the folder above this program's), FOLDER where
// the peers are unpacked (default: peers beside the build folder), FILE takes the figures (default:
// remote_write.json beside this program). --quick only shows that everything works. --only is
// known, new or disk. Exit code: 0 however slow, 1 when kpid did not run, refused samples or lost
// them, 2 after a mistake on the command line.

#include "bench/loopback_http.h"
#include "bench/machine.h"
#include "bench/write_load.h"
#include "bench/write_servers.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using kpid::Result;
using kpid::bench::HttpConnection;
using kpid::bench::StartWriteServer;
using kpid::bench::WriteLoad;
using kpid::bench::WriteServer;

constexpr std::chrono::seconds kAnswerMax{120};
constexpr std::int64_t kStepMs = 15'000;
// Rounds are encoded before they are sent and timed: so many samples at once.
constexpr std::size_t kEncodedSamplesMax = 4'000'000;
// A stored time may not be in the future, nor far in the past.
constexpr std::int64_t kMarginSteps = 8;

struct Amounts {
    WriteLoad::Shape known;
    std::size_t known_rounds = 0;
    WriteLoad::Shape fresh;
    std::size_t fresh_rounds = 0;
    WriteLoad::Shape stored;
    std::size_t stored_rounds = 0;
    /// What the server does on its own account after the load counts too.
    std::chrono::milliseconds settle{2000};
};

struct Arguments {
    std::string kpid;
    std::string peers;
    std::string json;
    std::string only;
    std::uint64_t seed = 1;
    bool quick = false;
};

/// One program's figures by name; those that could not be had are missing.
using Figures = std::map<std::string, double>;

struct Program {
    std::string name;
    StartWriteServer start;
    bool is_kpid = false;
};

Amounts amounts_of(const Arguments& arguments) {
    const std::uint64_t seed = arguments.seed;
    if (arguments.quick) {
        return {.known = {.series = 2'000, .batch_size = 500, .seed = seed},
                .known_rounds = 5,
                .fresh = {.series = 5'000, .batch_size = 500, .seed = seed},
                .fresh_rounds = 3,
                .stored = {.series = 200, .batch_size = 200, .seed = seed},
                .stored_rounds = 60,
                .settle = std::chrono::milliseconds(100)};
    }
    return {.known = {.series = 100'000, .seed = seed},
            .known_rounds = 40,
            .fresh = {.series = 1'000'000, .seed = seed},
            .fresh_rounds = 8,
            .stored = {.series = 2'000, .seed = seed},
            .stored_rounds = 480};
}

bool take_text(std::string_view argument, std::string_view name, std::string& text) {
    if (!argument.starts_with(name)) {
        return false;
    }
    text = argument.substr(name.size());
    return true;
}

std::optional<Arguments> parse(int count, char** values) {
    std::error_code ignored;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const std::filesystem::path build = self.parent_path().parent_path();
    Arguments arguments{.kpid = build / "kpid",
                        .peers = build.parent_path() / "peers",
                        .json = self.parent_path() / "remote_write.json"};
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = values[i];
        std::string seed;
        if (argument == "--quick") {
            arguments.quick = true;
        } else if (take_text(argument, "--seed=", seed)) {
            const auto parsed =
                std::from_chars(seed.data(), seed.data() + seed.size(), arguments.seed);
            if (parsed.ec != std::errc() || parsed.ptr != seed.data() + seed.size()) {
                return std::nullopt;
            }
        } else if (!argument.starts_with("--")) {
            arguments.kpid = argument;
        } else if (!take_text(argument, "--peers=", arguments.peers) &&
                   !take_text(argument, "--json=", arguments.json) &&
                   !take_text(argument, "--only=", arguments.only)) {
            return std::nullopt;
        }
    }
    const bool known_part = arguments.only.empty() || arguments.only == "known" ||
                            arguments.only == "new" || arguments.only == "disk";
    return known_part ? std::optional(arguments) : std::nullopt;
}

std::int64_t now_ms() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

/// A server and the load it gets, round after round.
class Run {
public:
    Run(WriteServer& server, const WriteLoad::Shape& shape, std::size_t rounds)
        : server_(server),
          load_(shape),
          next_ms_(now_ms() - (static_cast<std::int64_t>(rounds) + kMarginSteps) * kStepMs) {}

    /// CPU seconds of the server for so many rounds, with what it does in `settle` afterwards.
    [[nodiscard]] Result<double> send(std::size_t rounds, std::chrono::milliseconds settle) {
        double cpu_seconds = 0;
        const std::size_t at_once =
            std::max<std::size_t>(1, kEncodedSamplesMax / load_.shape().series);
        for (std::size_t done = 0; done < rounds;) {
            std::vector<std::vector<std::string>> encoded;
            for (; done < rounds && encoded.size() < at_once; ++done) {
                encoded.push_back(load_.next_round(next_ms_));
                next_ms_ += kStepMs;
            }
            const double before = server_.cpu_seconds();
            KPID_TRY(const kpid::bench::SendReport report,
                     kpid::bench::send_rounds(server_.port(), encoded));
            if (report.refused > 0) {
                return kpid::unavailable(fmt::format("{} requests were refused, the first with {}",
                                                     report.refused, report.first_refusal));
            }
            cpu_seconds += server_.cpu_seconds() - before;
        }
        const double before = server_.cpu_seconds();
        std::this_thread::sleep_for(settle);
        return cpu_seconds + server_.cpu_seconds() - before;
    }

    [[nodiscard]] std::int64_t last_ms() const { return next_ms_ - kStepMs; }

private:
    WriteServer& server_;
    WriteLoad load_;
    std::int64_t next_ms_;
};

/// Whether kpid answers with every series at the last instant that was sent.
Result<void> check_readable(const WriteServer& server, std::size_t series, std::int64_t ms) {
    KPID_TRY(HttpConnection connection, HttpConnection::open(server.port(), kAnswerMax));
    const std::string query =
        fmt::format("query=count({})&time={}.{:03}", WriteLoad::kSelector, ms / 1000, ms % 1000);
    KPID_TRY(const auto response,
             connection.request("POST", "/api/v1/query",
                                "Content-Type: application/x-www-form-urlencoded\r\n", query));
    if (response.body.find(fmt::format("\"{}\"]", series)) == std::string::npos) {
        return kpid::unavailable(
            fmt::format("not all of {} series are there: {}", series, response.body));
    }
    return {};
}

double per_second(double count, double seconds) {
    // The kernel counts hundredths.
    constexpr double kTick = 0.01;
    return count / std::max(seconds, kTick);
}

Result<void> measure_known(const Program& program, const Amounts& amounts, Figures& figures) {
    KPID_TRY(const auto server, program.start());
    Run run(*server, amounts.known, amounts.known_rounds + 1);
    KPID_TRY(const double warm_up, run.send(1, amounts.settle));
    static_cast<void>(warm_up);
    KPID_TRY(const double seconds, run.send(amounts.known_rounds, amounts.settle));
    figures["known_samples_per_cpu_second"] =
        per_second(static_cast<double>(amounts.known.series * amounts.known_rounds), seconds);
    return program.is_kpid ? check_readable(*server, amounts.known.series, run.last_ms())
                           : Result<void>();
}

Result<void> measure_new(const Program& program, const Amounts& amounts, Figures& figures) {
    KPID_TRY(const auto server, program.start());
    Run run(*server, amounts.fresh, amounts.fresh_rounds);
    KPID_TRY(const double first, run.send(1, amounts.settle));
    figures["new_series_per_cpu_second"] =
        per_second(static_cast<double>(amounts.fresh.series), first);
    KPID_TRY(const double rest, run.send(amounts.fresh_rounds - 1, amounts.settle));
    static_cast<void>(rest);
    constexpr double kMebibyte = 1 << 20;
    figures["resident_mib"] = static_cast<double>(server->resident_bytes()) / kMebibyte;
    return program.is_kpid ? check_readable(*server, amounts.fresh.series, run.last_ms())
                           : Result<void>();
}

Result<void> measure_disk(const Program& program, const Amounts& amounts, Figures& figures) {
    KPID_TRY(const auto server, program.start());
    Run run(*server, amounts.stored, amounts.stored_rounds);
    KPID_TRY(const double seconds, run.send(amounts.stored_rounds, amounts.settle));
    static_cast<void>(seconds);
    KPID_TRY(const kpid::bench::DiskUse use, server->disk_use());
    const auto samples = static_cast<double>(amounts.stored.series * amounts.stored_rounds);
    figures["data_bytes_per_sample"] = static_cast<double>(use.data_bytes) / samples;
    figures["index_bytes_per_sample"] = static_cast<double>(use.index_bytes) / samples;
    return {};
}

Result<Figures> measure(const Program& program, const Amounts& amounts, const std::string& only) {
    Figures figures;
    struct Part {
        const char* name;
        Result<void> (*measure)(const Program&, const Amounts&, Figures&);
    };
    for (const Part& part :
         {Part{"known", measure_known}, Part{"new", measure_new}, Part{"disk", measure_disk}}) {
        if (!only.empty() && only != part.name) {
            continue;
        }
        const Result<void> measured = part.measure(program, amounts, figures);
        if (!measured) {
            return measured.error().with_context(part.name);
        }
    }
    return figures;
}

std::vector<Program> programs_of(const Arguments& arguments) {
    const std::string folder = arguments.peers + "/usr/bin/";
    const std::string prometheus = folder + "prometheus";
    const std::string victoria_metrics = folder + "victoria-metrics";
    std::vector<Program> programs{
        {"kpid", [path = arguments.kpid] { return kpid::bench::start_kpid(path); }, true}};
    const auto add = [&programs](const std::string& name, const std::string& path,
                                 StartWriteServer start) {
        if (std::filesystem::exists(path)) {
            programs.push_back({name, std::move(start)});
        } else {
            fmt::print("!! NOT COMPARED: there is no {}; packaging/fetch_peers unpacks it\n", path);
        }
    };
    add("prometheus", prometheus,
        [prometheus] { return kpid::bench::start_prometheus(prometheus); });
    add("victoria-metrics", victoria_metrics,
        [victoria_metrics] { return kpid::bench::start_victoria_metrics(victoria_metrics); });
    return programs;
}

/// How the table shows a figure. Of bytes fewer are better: ratios above 1 are always kpid's lead.
struct Row {
    const char* figure;
    const char* title;
    double divisor;
    bool more_is_better;
};
constexpr Row kRows[] = {
    {"known_samples_per_cpu_second", "known series, M samples a CPU second", 1e6, true},
    {"new_series_per_cpu_second", "new series, M a CPU second", 1e6, true},
    {"resident_mib", "resident memory then, MiB", 1, false},
    {"data_bytes_per_sample", "bytes a sample on disk", 1, false},
    {"index_bytes_per_sample", "index, bytes a sample", 1, false},
};

void print_table(const std::vector<std::pair<std::string, Figures>>& results) {
    fmt::print("\n{:<40}", "");
    for (const auto& [name, figures] : results) {
        fmt::print("{:>18}{:>8}", name, "ratio");
    }
    fmt::print("\n");
    for (const Row& row : kRows) {
        const auto base = results.front().second.find(row.figure);
        if (base == results.front().second.end()) {
            continue;
        }
        fmt::print("{:<40}", row.title);
        for (const auto& [name, figures] : results) {
            const auto figure = figures.find(row.figure);
            if (figure == figures.end()) {
                fmt::print("{:>18}{:>8}", "-", "-");
                continue;
            }
            const double lead =
                row.more_is_better ? base->second / figure->second : figure->second / base->second;
            fmt::print("{:>18.3f}{:>8.2f}", figure->second / row.divisor, lead);
        }
        fmt::print("\n");
    }
}

void write_json(const Arguments& arguments, const Amounts& amounts, const std::string& where,
                const std::vector<std::pair<std::string, Figures>>& results) {
    kpid::JsonWriter json;
    json.begin_object().key("machine").string(where).key("quick").boolean(arguments.quick);
    json.key("seed").number(arguments.seed);
    json.key("known_series").number(amounts.known.series);
    json.key("known_rounds").number(amounts.known_rounds);
    json.key("new_series").number(amounts.fresh.series);
    json.key("new_series_samples_each").number(amounts.fresh_rounds);
    json.key("stored_series").number(amounts.stored.series);
    json.key("stored_samples_each").number(amounts.stored_rounds);
    json.key("programs").begin_object();
    for (const auto& [name, figures] : results) {
        json.key(name).begin_object();
        for (const auto& [figure, value] : figures) {
            json.key(figure).number(value);
        }
        json.end_object();
    }
    json.end_object().end_object();
    std::ofstream(arguments.json) << std::move(json).take() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::optional<Arguments> arguments = parse(argc, argv);
    if (!arguments) {
        fmt::print(stderr,
                   "usage: {} [KPID] [--quick] [--only=known|new|disk] [--peers=FOLDER] "
                   "[--json=FILE] [--seed=N]\n",
                   argv[0]);
        return 2;
    }
    const std::string where = kpid::bench::describe_machine();
    fmt::print("machine: {}; seed {}\n", where, arguments->seed);
    const Amounts amounts = amounts_of(*arguments);
    const std::vector<Program> programs = programs_of(*arguments);
    kpid::bench::stay_off_first_core();
    std::vector<std::pair<std::string, Figures>> results;
    for (const Program& program : programs) {
        fmt::print("measuring {}\n", program.name);
        std::fflush(stdout);
        const Result<Figures> figures = measure(program, amounts, arguments->only);
        if (figures) {
            results.emplace_back(program.name, *figures);
        } else if (program.is_kpid) {
            fmt::print("!! kpid: {}\n", figures.error().message);
            return 1;
        } else {
            fmt::print("!! NOT COMPARED: {}: {}\n", program.name, figures.error().message);
        }
    }
    print_table(results);
    if (arguments->quick) {
        fmt::print("a quick run shows that everything works; its figures say nothing\n");
    }
    write_json(*arguments, amounts, where, results);
    return 0;
}
