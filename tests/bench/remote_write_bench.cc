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

#include "bench/comparison.h"
#include "bench/load_run.h"
#include "bench/loopback_http.h"
#include "bench/write_load.h"
#include "bench/write_servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace {

using kpid::JsonWriter;
using kpid::Result;
using kpid::bench::Arguments;
using kpid::bench::Figures;
using kpid::bench::first_of_rounds;
using kpid::bench::form_encode;
using kpid::bench::HttpConnection;
using kpid::bench::LoadRun;
using kpid::bench::post_form;
using kpid::bench::Program;
using kpid::bench::WriteLoad;
using kpid::bench::WriteServer;

constexpr std::chrono::seconds kAnswerMax{120};

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

/// Whether kpid answers with every series at the last instant that was sent.
Result<void> check_readable(const WriteServer& server, std::size_t series, std::int64_t ms) {
    KPID_TRY(HttpConnection connection, HttpConnection::open(server.port(), kAnswerMax));
    const std::string query = fmt::format("query=count({})&time={}.{:03}",
                                          form_encode(WriteLoad::kSelector), ms / 1000, ms % 1000);
    KPID_TRY(const std::string body, post_form(connection, "/api/v1/query", query));
    if (body.find(fmt::format("\"{}\"]", series)) == std::string::npos) {
        return kpid::unavailable(fmt::format("not all of {} series are there: {}", series, body));
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
    LoadRun run(*server, WriteLoad(amounts.known), first_of_rounds(amounts.known_rounds + 1));
    KPID_TRY(const double warm_up, run.send(1, amounts.settle));
    static_cast<void>(warm_up);
    KPID_TRY(const double seconds, run.send(amounts.known_rounds, amounts.settle));
    figures["known_samples_per_cpu_second"] =
        per_second(static_cast<double>(amounts.known.series * amounts.known_rounds), seconds);
    return program.is_kpid() ? check_readable(*server, amounts.known.series, run.last_ms())
                             : Result<void>();
}

Result<void> measure_new(const Program& program, const Amounts& amounts, Figures& figures) {
    KPID_TRY(const auto server, program.start());
    LoadRun run(*server, WriteLoad(amounts.fresh), first_of_rounds(amounts.fresh_rounds));
    KPID_TRY(const double first, run.send(1, amounts.settle));
    figures["new_series_per_cpu_second"] =
        per_second(static_cast<double>(amounts.fresh.series), first);
    KPID_TRY(const double rest, run.send(amounts.fresh_rounds - 1, amounts.settle));
    static_cast<void>(rest);
    constexpr double kMebibyte = 1 << 20;
    figures["resident_mib"] = static_cast<double>(server->resident_bytes()) / kMebibyte;
    return program.is_kpid() ? check_readable(*server, amounts.fresh.series, run.last_ms())
                             : Result<void>();
}

Result<void> measure_disk(const Program& program, const Amounts& amounts, Figures& figures) {
    KPID_TRY(const auto server, program.start());
    LoadRun run(*server, WriteLoad(amounts.stored), first_of_rounds(amounts.stored_rounds));
    KPID_TRY(const double seconds, run.send(amounts.stored_rounds, amounts.settle));
    static_cast<void>(seconds);
    KPID_TRY(const kpid::bench::DiskUse use, server->disk_use());
    const auto samples = static_cast<double>(amounts.stored.series * amounts.stored_rounds);
    figures["data_bytes_per_sample"] = static_cast<double>(use.data_bytes) / samples;
    figures["index_bytes_per_sample"] = static_cast<double>(use.index_bytes) / samples;
    return {};
}

Result<void> measure(const Program& program, const Arguments& arguments, Figures& figures) {
    const Amounts amounts = amounts_of(arguments);
    struct Part {
        const char* name;
        Result<void> (*measure)(const Program&, const Amounts&, Figures&);
    };
    for (const Part& part :
         {Part{"known", measure_known}, Part{"new", measure_new}, Part{"disk", measure_disk}}) {
        if (!arguments.takes(part.name)) {
            continue;
        }
        const Result<void> measured = part.measure(program, amounts, figures);
        if (!measured) {
            return measured.error().with_context(part.name);
        }
    }
    return {};
}

void describe(const Arguments& arguments, JsonWriter& json) {
    const Amounts amounts = amounts_of(arguments);
    json.key("known_series").number(amounts.known.series);
    json.key("known_rounds").number(amounts.known_rounds);
    json.key("new_series").number(amounts.fresh.series);
    json.key("new_series_samples_each").number(amounts.fresh_rounds);
    json.key("stored_series").number(amounts.stored.series);
    json.key("stored_samples_each").number(amounts.stored_rounds);
}

}  // namespace

int main(int argc, char** argv) {
    return kpid::bench::compare(
        argc, argv,
        {.name = "remote_write",
         .parts = {"known", "new", "disk"},
         .rows = {{"known_samples_per_cpu_second", "known series, M samples a CPU second", 1e6,
                   true},
                  {"new_series_per_cpu_second", "new series, M a CPU second", 1e6, true},
                  {"resident_mib", "resident memory then, MiB"},
                  {"data_bytes_per_sample", "bytes a sample on disk"},
                  {"index_bytes_per_sample", "index, bytes a sample"}},
         .describe = describe,
         .measure = measure});
}
