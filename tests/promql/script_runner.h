#pragma once
// Runs PromQL test scripts (script.h): each evaluation is a case that passes, fails or is skipped.
//
// An instant evaluation runs more than once, as in Prometheus: also as the middle of a range query
// from a minute before to a minute after; and with `@` behind every selector, at five other times,
// each again with its range query.

#include "kpid/promql/engine.h"
#include "kpid/promql/parser.h"
#include "promql/script.h"

#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql::testing {

enum class Outcome {
    kPassed,
    kFailed,
    /// It needs what the engine lacks on purpose: native histograms, start timestamps, `info`,
    /// `fill`, `anchored`, `smoothed`.
    kSkipped,
};

struct CaseReport {
    std::size_t line = 0;  ///< Of the evaluation, from 1.
    std::string expr;
    Outcome outcome = Outcome::kPassed;
    std::string why;  ///< What is wrong, or what the skipped case needs.
};

struct ScriptReport {
    std::vector<CaseReport> cases;
    std::vector<ScriptError> errors;  ///< Of the script itself; what they concern did not run.

    [[nodiscard]] std::size_t count(Outcome outcome) const;
};

struct ScriptOptions {
    EngineOptions engine;
    ParseOptions parse;
};

/// What Prometheus' own scripts are written for: experimental functions, duration expressions and
/// delayed name removal on.
[[nodiscard]] ScriptOptions prometheus_options();

[[nodiscard]] ScriptReport run_script(std::string_view text, const ScriptOptions& options);

}  // namespace kpid::promql::testing
