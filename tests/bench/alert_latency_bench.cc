// From a pushed sample to the webhook that tells of it, kpid beside Prometheus with Alertmanager.
//
// usage: alert_latency_bench [KPID] [--flips=N] [--peer-flips=N] [--seed=N] [--peers=FOLDER]
//
// KPID is the program to measure (default: kpid in the folder above this program's), FOLDER where
// the peers are unpacked (default: peers beside the build folder). Exit code: 0 however slow, 1
// when kpid lost a flip or did not run, 2 after a mistake on the command line.

#include "bench/flip_run.h"
#include "bench/machine.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace {

using kpid::Result;
using kpid::bench::FlipOptions;
using kpid::bench::FlipReport;
using kpid::bench::latency_quantile;

constexpr std::size_t kFlipsMax = 100'000;

struct Arguments {
    std::string kpid;
    std::string peers;
    std::size_t flips = 200;
    std::size_t peer_flips = 40;
    std::uint64_t seed = 1;
};

bool take_number(std::string_view argument, std::string_view name, std::uint64_t& number) {
    if (!argument.starts_with(name)) {
        return false;
    }
    argument.remove_prefix(name.size());
    const char* end = argument.data() + argument.size();
    const auto parsed = std::from_chars(argument.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end;
}

std::optional<Arguments> parse(int count, char** values) {
    std::error_code ignored;
    const std::filesystem::path build =
        std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
    Arguments arguments{.kpid = build / "kpid", .peers = build.parent_path() / "peers"};
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = values[i];
        constexpr std::string_view kPeers = "--peers=";
        if (argument.starts_with(kPeers)) {
            arguments.peers = argument.substr(kPeers.size());
        } else if (!argument.starts_with("--")) {
            arguments.kpid = argument;
        } else if (!take_number(argument, "--flips=", arguments.flips) &&
                   !take_number(argument, "--peer-flips=", arguments.peer_flips) &&
                   !take_number(argument, "--seed=", arguments.seed)) {
            return std::nullopt;
        }
    }
    if (arguments.flips == 0 || arguments.flips > kFlipsMax || arguments.peer_flips > kFlipsMax) {
        return std::nullopt;
    }
    return arguments;
}

void print_machine(const Arguments& arguments) {
    fmt::print("machine: {}; seed {}\n", kpid::bench::describe_machine(), arguments.seed);
}

void print_head() {
    fmt::print("\n{:<26}{:>6}{:>6}{:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>11}\n", "pushed to webhook, ms",
               "flips", "lost", "p50", "p90", "p99", "max", "CPU s", "of s", "p50 ratio");
}

void print_row(const FlipReport& report, const FlipReport& base) {
    const double base_p50 = latency_quantile(base, 0.5);
    const double ratio = base_p50 > 0 ? latency_quantile(report, 0.5) / base_p50 : 0;
    fmt::print("{:<26}{:>6}{:>6}{:>9.2f}{:>9.2f}{:>9.2f}{:>9.2f}{:>8.2f}{:>8.1f}{:>11.1f}\n",
               report.name, report.flips, report.lost, latency_quantile(report, 0.5),
               latency_quantile(report, 0.9), latency_quantile(report, 0.99),
               latency_quantile(report, 1), report.cpu_seconds, report.run_seconds, ratio);
    if (report.unasked > 0 || report.connections != 1) {
        fmt::print("  {} webhooks that no flip explains; {} connections to the sink\n",
                   report.unasked, report.connections);
    }
    std::fflush(stdout);
}

// Prints the peer's row, or why there is none; the peer's trouble is not kpid's.
void run_peer(const Arguments& arguments, const FlipReport& base) {
    const kpid::bench::PeerPrograms programs{
        .prometheus = arguments.peers + "/usr/bin/prometheus",
        .alertmanager = arguments.peers + "/usr/bin/prometheus-alertmanager"};
    for (const std::string& program : {programs.prometheus, programs.alertmanager}) {
        if (!std::filesystem::exists(program)) {
            fmt::print("!! NOT COMPARED: there is no {}; packaging/fetch_peers unpacks it\n",
                       program);
            return;
        }
    }
    // Longer pauses: Alertmanager merges alerts that follow each other within an evaluation.
    const FlipOptions options{.flips = arguments.peer_flips,
                              .seed = arguments.seed,
                              .pause_min = std::chrono::milliseconds(400),
                              .pause_max = std::chrono::milliseconds(900),
                              .warm_up_flips = 4,
                              .webhook_max = std::chrono::seconds(10)};
    const Result<FlipReport> report = kpid::bench::run_prometheus(programs, options);
    if (!report) {
        fmt::print("!! NOT COMPARED: the peer did not run: {}\n", report.error().message);
        return;
    }
    print_row(*report, base);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::optional<Arguments> arguments = parse(argc, argv);
    if (!arguments) {
        fmt::print(stderr,
                   "usage: {} [KPID] [--flips=N] [--peer-flips=N] [--seed=N] [--peers=FOLDER]\n",
                   argv[0]);
        return 2;
    }
    print_machine(*arguments);
    const Result<FlipReport> report = kpid::bench::run_kpid(
        arguments->kpid, {.flips = arguments->flips, .seed = arguments->seed});
    if (!report) {
        fmt::print("!! kpid did not run: {}\n", report.error().message);
        return 1;
    }
    print_head();
    print_row(*report, *report);
    if (arguments->peer_flips > 0) {
        run_peer(*arguments, *report);
    }
    if (report->lost > 0) {
        fmt::print("!! kpid lost {} of {} flips\n", report->lost, report->flips);
        return 1;
    }
    return 0;
}
