#pragma once
// PromQL test scripts as what they say: loads, evaluations and what is expected of them.
//
//   load 1m
//     up{job="a"} 1 _ 0+1x3
//   eval instant at 3m sum(up)
//     expect no_warn
//     {} 1
//
// Comments begin with #; an empty line ends a block. Times count from the Unix epoch. The language
// is that of Prometheus' own scripts, the deprecated forms (`eval_fail`, …) included.

#include "kpid/base/time.h"
#include "kpid/promql/series_description.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kpid::promql::testing {

/// What a message must be.
struct Pattern {
    enum class Kind { kAny, kMessage, kRegex };
    Kind kind = Kind::kAny;
    std::string text;
};

/// `clear`: everything loaded is gone.
struct ClearCommand {};

/// `load STEP` and its series; adds to what is there.
struct LoadCommand {
    struct Series {
        SeriesDescription description;
        /// A line `metric@st …` stands before it: its samples have start timestamps.
        bool has_start_times = false;
    };
    Duration step{0};
    /// `load_with_nhcb`: classic histograms are loaded as native ones with custom buckets too.
    bool with_nhcb = false;
    std::vector<Series> series;
};

/// One `eval` with what is expected of it.
struct Evaluation {
    std::string expr;
    bool is_range = false;
    Timestamp start;  ///< Of an instant evaluation: its time.
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

struct Command {
    std::size_t line = 0;  ///< From 1.
    std::variant<ClearCommand, LoadCommand, Evaluation> what;
};

/// What is wrong with the script itself.
struct ScriptError {
    std::size_t line = 0;
    std::string message;
};

struct Script {
    std::vector<Command> commands;
    std::vector<ScriptError> errors;  ///< The blocks that they are in are not among the commands.
};

/// Reads the whole text; expressions are not parsed yet.
[[nodiscard]] Script parse_script(std::string_view text);

}  // namespace kpid::promql::testing
