#pragma once
// Runs PromQL test scripts: load, clear, eval and what is expected of it.
//
//   load 1m
//     up{job="a"} 1 _ 0+1x3
//   eval instant at 3m sum(up)
//     expect no_warn
//     {} 1
//
// Comments begin with #; an empty line ends a block. Every instant evaluation is repeated as a
// range query from a minute before to a minute after, whose middle must say the same.

#include "kpid/promql/engine.h"
#include "kpid/promql/parser.h"
#include "promql/script_storage.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql::testing {

/// One thing that a script says about its evaluation.
struct Pattern {
    enum class Kind { kAny, kMessage, kRegex };
    Kind kind = Kind::kAny;
    std::string text;
};

/// One `eval` with what is expected of it.
struct Evaluation {
    std::size_t line = 0;
    std::string expr;
    bool is_range = false;
    Timestamp start;  // Of an instant evaluation: its time.
    Timestamp end;
    Duration step{0};

    bool ordered = false;
    bool must_fail = false;
    std::vector<Pattern> failures;
    std::vector<Pattern> warnings;
    std::vector<Pattern> infos;
    bool no_warnings = false;
    bool no_infos = false;
    std::optional<double> scalar;
    std::optional<std::string> string;
    /// For an instant query that gives a range vector: the time of the first item and the step.
    std::optional<std::pair<Timestamp, Duration>> range_vector;
    std::vector<SeriesDescription> series;
};

struct ScriptReport {
    std::size_t passed = 0;
    std::size_t unsupported = 0;        // The engine said so.
    std::vector<std::string> failures;  // "line N: expression: what is wrong".
};

struct ScriptOptions {
    EngineOptions engine;
    ParseOptions parse;
};

/// What Prometheus' own scripts are written for.
[[nodiscard]] ScriptOptions prometheus_options();

[[nodiscard]] ScriptReport run_script(std::string_view text, const ScriptOptions& options);

}  // namespace kpid::promql::testing
