#pragma once
// What benchmarks that measure kpid beside its peers have in common: their command line, the
// programs, the table of figures and the JSON file.

#include "bench/write_servers.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::bench {

/// The command line: [KPID] [--quick] [--only=PART] [--peers=FOLDER] [--json=FILE] [--seed=N].
struct Arguments {
    std::string kpid;   ///< Default: kpid in the folder above the benchmark's.
    std::string peers;  ///< Where they are unpacked; default: peers beside the build folder.
    std::string json;   ///< Takes the figures; default: NAME.json beside the benchmark.
    std::string only;   ///< Empty for every part.
    std::uint64_t seed = 1;
    bool quick = false;  ///< Only shows that everything works.

    [[nodiscard]] bool takes(std::string_view part) const { return only.empty() || only == part; }
};

/// One program's figures by name; those that could not be had are missing.
using Figures = std::map<std::string, double>;

struct Program {
    enum class Kind { kKpid, kPrometheus, kVictoriaMetrics };
    Kind kind = Kind::kKpid;
    std::string name;
    StartWriteServer start;

    [[nodiscard]] bool is_kpid() const { return kind == Kind::kKpid; }
};

/// How the table shows a figure: divided by `divisor`. A ratio above 1 is always kpid's lead.
struct Row {
    std::string figure;
    std::string title;
    double divisor = 1;
    bool more_is_better = false;
};

/// One benchmark.
struct Comparison {
    std::string name;
    std::vector<std::string> parts;  ///< What --only takes.
    std::vector<Row> rows;
    /// Writes the amounts of work as members of an open JSON object.
    std::function<void(const Arguments&, JsonWriter&)> describe;
    /// Measures one program; what it found before an error counts.
    std::function<Result<void>(const Program&, const Arguments&, Figures&)> measure;
    /// After all programs: an error is kpid's. May be empty.
    std::function<Result<void>()> check;
};

/// Runs the programs one after the other, prints the table and writes the JSON file. The exit code:
/// 0 however slow, 1 when kpid failed, 2 after a mistake on the command line.
[[nodiscard]] int compare(int argc, char** argv, const Comparison& comparison);

}  // namespace kpid::bench
