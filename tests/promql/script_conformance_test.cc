// Prometheus' own scripts: no wrong answer; what is left out is listed by file and reason.

#include "promql/script_runner.h"
#include "support/conformance.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <string>

namespace kpid::promql::testing {
namespace {

// Of all files together. Raised with every part of the language that the engine learns.
constexpr std::size_t kPassedFloor = 554;

std::map<std::string, std::size_t> reasons(const ScriptReport& report) {
    std::map<std::string, std::size_t> counts;
    for (const CaseReport& one : report.cases) {
        if (one.outcome == Outcome::kSkipped) {
            ++counts[one.why];
        }
    }
    return counts;
}

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
    std::size_t skipped = 0;
    for (const std::filesystem::path& file : files) {
        const std::string name = file.filename().string();
        const ScriptReport report =
            run_script(kpid::testing::read_file(file), prometheus_options());
        std::cout << name << ": " << report.count(Outcome::kPassed) << " passed, "
                  << report.count(Outcome::kSkipped) << " skipped\n";
        for (const auto& [why, count] : reasons(report)) {
            std::cout << "    " << count << " skipped: " << why << "\n";
        }
        for (const ScriptError& error : report.errors) {
            ADD_FAILURE() << name << ":" << error.line << ": " << error.message;
        }
        for (const CaseReport& one : report.cases) {
            if (one.outcome == Outcome::kFailed) {
                ADD_FAILURE() << name << ":" << one.line << ": " << one.expr << ": " << one.why;
            }
        }
        passed += report.count(Outcome::kPassed);
        skipped += report.count(Outcome::kSkipped);
    }
    std::cout << "in all: " << passed << " passed, " << skipped << " skipped\n";
    EXPECT_GE(passed, kPassedFloor);
}

}  // namespace
}  // namespace kpid::promql::testing
