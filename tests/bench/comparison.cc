// The command line, the table and the JSON file of benchmarks with peers.

#include "bench/comparison.h"

#include "bench/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace kpid::bench {
namespace {

using Results = std::vector<std::pair<std::string, Figures>>;

bool take_text(std::string_view argument, std::string_view name, std::string& text) {
    if (!argument.starts_with(name)) {
        return false;
    }
    text = argument.substr(name.size());
    return true;
}

std::optional<Arguments> parse(int count, char** values, const Comparison& comparison) {
    std::error_code ignored;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const std::filesystem::path build = self.parent_path().parent_path();
    Arguments arguments{.kpid = build / "kpid",
                        .peers = build.parent_path() / "peers",
                        .json = self.parent_path() / (comparison.name + ".json")};
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
    const auto& parts = comparison.parts;
    const bool known_part = arguments.only.empty() ||
                            std::find(parts.begin(), parts.end(), arguments.only) != parts.end();
    return known_part ? std::optional(arguments) : std::nullopt;
}

std::vector<Program> programs_of(const Arguments& arguments) {
    const std::string folder = arguments.peers + "/usr/bin/";
    const std::string prometheus = folder + "prometheus";
    const std::string victoria_metrics = folder + "victoria-metrics";
    using Kind = Program::Kind;
    std::vector<Program> programs{
        {Kind::kKpid, "kpid", [path = arguments.kpid] { return start_kpid(path); }}};
    const auto add = [&programs](Program program, const std::string& path) {
        if (std::filesystem::exists(path)) {
            programs.push_back(std::move(program));
        } else {
            fmt::print("!! NOT COMPARED: there is no {}; packaging/fetch_peers unpacks it\n", path);
        }
    };
    add({Kind::kPrometheus, "prometheus", [prometheus] { return start_prometheus(prometheus); }},
        prometheus);
    add({Kind::kVictoriaMetrics, "victoria-metrics",
         [victoria_metrics] { return start_victoria_metrics(victoria_metrics); }},
        victoria_metrics);
    return programs;
}

void print_table(const std::vector<Row>& rows, const Results& results) {
    fmt::print("\n{:<60}", "");
    for (const auto& [name, figures] : results) {
        fmt::print("{:>18}{:>8}", name, "ratio");
    }
    fmt::print("\n");
    for (const Row& row : rows) {
        const auto base = results.front().second.find(row.figure);
        if (base == results.front().second.end()) {
            continue;
        }
        fmt::print("{:<60}", row.title);
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

void write_json(const Arguments& arguments, const Comparison& comparison, const std::string& where,
                const Results& results) {
    JsonWriter json;
    json.begin_object().key("machine").string(where).key("quick").boolean(arguments.quick);
    json.key("seed").number(arguments.seed);
    comparison.describe(arguments, json);
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

int compare(int argc, char** argv, const Comparison& comparison) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::optional<Arguments> arguments = parse(argc, argv, comparison);
    if (!arguments) {
        fmt::print(stderr,
                   "usage: {} [KPID] [--quick] [--only={}] [--peers=FOLDER] [--json=FILE] "
                   "[--seed=N]\n",
                   argv[0], fmt::join(comparison.parts, "|"));
        return 2;
    }
    const std::string where = describe_machine();
    fmt::print("machine: {}; seed {}\n", where, arguments->seed);
    const std::vector<Program> programs = programs_of(*arguments);
    stay_off_first_core();
    Results results;
    for (const Program& program : programs) {
        fmt::print("measuring {}\n", program.name);
        std::fflush(stdout);
        Figures figures;
        const Result<void> measured = comparison.measure(program, *arguments, figures);
        if (!measured && program.is_kpid()) {
            fmt::print("!! kpid: {}\n", measured.error().message);
            return 1;
        }
        if (!measured) {
            fmt::print("!! NOT COMPARED: {}: {}\n", program.name, measured.error().message);
        }
        results.emplace_back(program.name, std::move(figures));
    }
    print_table(comparison.rows, results);
    if (arguments->quick) {
        fmt::print("a quick run shows that everything works; its figures say nothing\n");
    }
    write_json(*arguments, comparison, where, results);
    const Result<void> right = comparison.check ? comparison.check() : Result<void>();
    if (!right) {
        fmt::print("!! kpid: {}\n", right.error().message);
        return 1;
    }
    return 0;
}

}  // namespace kpid::bench
