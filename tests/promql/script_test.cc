// The project's own scripts in tests/promql/scripts run with and without delayed name removal;
// those in delayed_names and names_at_once only with and only without.

#include "promql/script_runner.h"
#include "support/conformance.h"
#include "support/source_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace kpid::promql::testing {
namespace {

// Runs a script with or without delayed name removal.
void expect_success(const std::filesystem::path& file, bool delayed) {
    SCOPED_TRACE(delayed ? "with delayed name removal" : "names go at once");
    ScriptOptions options = prometheus_options();
    options.engine.delayed_name_removal = delayed;
    const ScriptReport report = run_script(kpid::testing::read_file(file), options);
    EXPECT_GT(report.count(Outcome::kPassed), 0U) << file.filename();
    EXPECT_EQ(report.count(Outcome::kSkipped), 0U) << file.filename();
    for (const ScriptError& error : report.errors) {
        ADD_FAILURE() << file.filename().string() << ":" << error.line << ": " << error.message;
    }
    for (const CaseReport& one : report.cases) {
        if (one.outcome == Outcome::kFailed) {
            ADD_FAILURE() << file.filename().string() << ":" << one.line << ": " << one.expr << ": "
                          << one.why;
        }
    }
}

TEST(Script, EveryEvaluationGivesWhatItSays) {
    std::set<std::filesystem::path> files;
    const std::filesystem::path folder = kpid::testing::source_dir() / "tests/promql/scripts";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            files.insert(entry.path());
        }
    }
    ASSERT_FALSE(files.empty());
    for (const std::filesystem::path& file : files) {
        const std::string where = file.parent_path().filename();
        if (where != "names_at_once") {
            expect_success(file, true);
        }
        if (where != "delayed_names") {
            expect_success(file, false);
        }
    }
}

TEST(Script, AWrongExpectationIsFound) {
    const ScriptReport report = run_script(
        "load 1m\n  up{job=\"a\"} 1\n\n"
        "eval instant at 0 up\n  up{job=\"a\"} 2\n\n"
        "eval instant at 0 up\n  up 1\n\n"
        "eval instant at 0 up\n\n"
        "eval instant at 0 up\n  expect fail\n\n"
        "eval instant at 0 up + on() up\n  expect warn\n  {} 2\n\n"
        "eval range from 0 to 1m step 1m up\n  up{job=\"a\"} 1\n\n"
        "eval instant at 0 1 + 1\n  3\n\n"
        "eval instant at 0 1 + 1\n\n",
        prometheus_options());
    EXPECT_EQ(report.count(Outcome::kPassed), 0U);
    EXPECT_EQ(report.count(Outcome::kFailed), 8U);
}

TEST(Script, SkipsExactlyWhatNeedsThePartsThatAreLacking) {
    const ScriptReport report = run_script(
        "load 1m\n"
        "  floats 1 2 3\n"
        "  mixed 1 {{schema:0 count:1 sum:1}} 3\n"
        "  started_total@st -10sx2\n"
        "  started_total 1 2 3\n\n"
        "load_with_nhcb 1m\n"
        "  h_bucket{le=\"+Inf\"} 1 2 3\n\n"
        "eval instant at 0 floats\n  floats 1\n\n"
        "eval instant at 0 mixed\n  mixed 1\n\n"   // The histogram comes later,
        "eval instant at 2m mixed\n  mixed 3\n\n"  // or is not the newest sample.
        "eval instant at 1m count({__name__!=\"\"})\n  {} 4\n\n"
        "eval instant at 1m histogram_count(mixed)\n  {} 1\n\n"
        "eval instant at 1m floats\n  floats {{schema:0}}\n\n"
        "eval instant at 1m h_bucket\n  h_bucket{le=\"+Inf\"} 2\n\n"
        "eval instant at 1m h\n  h {{schema:-53}}\n\n"
        "eval instant at 2m rate(started_total[5m])\n  {} 1\n\n"
        "eval instant at 2m sum_over_time(started_total[5m])\n  {} 6\n\n"
        "eval instant at 2m delta(started_total[150s:1m])\n  {} 2.5\n\n"
        "eval instant at 0 floats + fill(1) nothing\n\n"
        "eval instant at 0 info(floats)\n\n"
        "eval instant at 0 floats anchored\n\n"
        "eval instant at 0 floats smoothed\n\n"
        "eval instant at 0 start_timestamp(floats)\n\n",
        prometheus_options());
    ASSERT_TRUE(report.errors.empty());
    std::string outcomes;
    for (const CaseReport& one : report.cases) {
        outcomes += one.outcome == Outcome::kPassed   ? 'p'
                    : one.outcome == Outcome::kFailed ? 'F'
                                                      : 's';
        EXPECT_TRUE(one.outcome != Outcome::kFailed) << one.expr << ": " << one.why;
    }
    EXPECT_EQ(outcomes,
              "pppssspsspp"
              "sssss");
}

}  // namespace
}  // namespace kpid::promql::testing
