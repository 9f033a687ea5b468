// The project's own scripts in tests/promql/scripts.

#include "promql/script_runner.h"
#include "support/conformance.h"
#include "support/source_dir.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace kpid::promql::testing {
namespace {

TEST(Script, EveryEvaluationGivesWhatItSays) {
    std::set<std::filesystem::path> files;
    const std::filesystem::path folder = kpid::testing::source_dir() / "tests/promql/scripts";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        files.insert(entry.path());
    }
    ASSERT_FALSE(files.empty());
    for (const std::filesystem::path& file : files) {
        ScriptOptions options = prometheus_options();
        options.engine.delayed_name_removal = false;
        options.engine.samples_max = 100'000;
        const ScriptReport report = run_script(kpid::testing::read_file(file), options);
        EXPECT_GT(report.passed, 0U) << file.filename();
        EXPECT_EQ(report.unsupported, 0U) << file.filename();
        for (const std::string& failure : report.failures) {
            ADD_FAILURE() << file.filename().string() << " " << failure;
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
        "nonsense\n",
        prometheus_options());
    EXPECT_EQ(report.passed, 0U);
    EXPECT_EQ(report.failures.size(), 8U);
}

}  // namespace
}  // namespace kpid::promql::testing
