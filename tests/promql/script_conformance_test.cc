// Prometheus' own scripts: no wrong answer, and what is not supported yet is counted and shown.

#include "promql/script_runner.h"
#include "support/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

namespace kpid::promql::testing {
namespace {

// Of all files together. Raised with every part of the language that the engine learns.
constexpr std::size_t kPassedFloor = 553;

TEST(ScriptConformance, GivesNoWrongAnswer) {
    const auto folder = kpid::testing::conformance_dir("promql");
    if (!folder) {
        return;
    }
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "testdata")) {
        if (entry.path().extension() == ".test") {
            files.insert(entry.path());
        }
    }
    ASSERT_FALSE(files.empty());
    std::size_t passed = 0;
    std::size_t unsupported = 0;
    for (const std::filesystem::path& file : files) {
        const std::string text = kpid::testing::read_file(file);
        const ScriptReport report = run_script(text, prometheus_options());
        std::cout << file.filename().string() << ": " << report.passed << " passed, "
                  << report.unsupported << " not supported, " << report.failures.size()
                  << " wrong\n";
        for (const std::string& failure : report.failures) {
            ADD_FAILURE() << file.filename().string() << " " << failure;
        }
        passed += report.passed;
        unsupported += report.unsupported;
    }
    std::cout << "in all: " << passed << " passed, " << unsupported << " not supported\n";
    EXPECT_GE(passed, kPassedFloor);
}

}  // namespace
}  // namespace kpid::promql::testing
