// promqltest FILE…: runs PromQL test scripts and says which cases fail.

#include "promql/script_runner.h"

#include <fmt/format.h>

#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql::testing {
namespace {

constexpr std::string_view kUsage =
    "usage: promqltest [--skipped] FILE...\n"
    "\n"
    "Runs test scripts in the language of Prometheus (load, eval, expect), with experimental\n"
    "functions and delayed name removal on. Prints a line for each case that fails, then the\n"
    "counts. Cases that need native histograms, start timestamps, info, fill, anchored or\n"
    "smoothed are skipped; --skipped lists how many for which reason, by file.\n"
    "Exit status: 0 all passed or skipped, 1 a case failed, 2 a file is not a script.\n";

struct Totals {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;
    bool broken = false;  // A file could not be read, or is no script.
};

void print_skipped(const std::string& file, const ScriptReport& report) {
    std::map<std::string, std::size_t> counts;
    for (const CaseReport& one : report.cases) {
        if (one.outcome == Outcome::kSkipped) {
            ++counts[one.why];
        }
    }
    std::cout << fmt::format("{}: {} passed, {} failed, {} skipped\n", file,
                             report.count(Outcome::kPassed), report.count(Outcome::kFailed),
                             report.count(Outcome::kSkipped));
    for (const auto& [why, count] : counts) {
        std::cout << fmt::format("    {} skipped: {}\n", count, why);
    }
}

void run_file(const std::string& file, bool list_skipped, Totals& totals) {
    std::ifstream in(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!in) {
        std::cerr << fmt::format("{}: cannot be read\n", file);
        totals.broken = true;
        return;
    }
    const ScriptReport report = run_script(text, prometheus_options());
    for (const ScriptError& error : report.errors) {
        std::cerr << fmt::format("{}:{}: {}\n", file, error.line, error.message);
        totals.broken = true;
    }
    for (const CaseReport& one : report.cases) {
        if (one.outcome == Outcome::kFailed) {
            std::cout << fmt::format("{}:{}: {}: {}\n", file, one.line, one.expr, one.why);
        }
    }
    if (list_skipped) {
        print_skipped(file, report);
    }
    totals.passed += report.count(Outcome::kPassed);
    totals.failed += report.count(Outcome::kFailed);
    totals.skipped += report.count(Outcome::kSkipped);
}

int run(const std::vector<std::string>& arguments) {
    bool list_skipped = false;
    std::vector<std::string> files;
    for (const std::string& argument : arguments) {
        if (argument == "--help" || argument == "-h") {
            std::cout << kUsage;
            return 0;
        }
        if (argument == "--skipped") {
            list_skipped = true;
        } else {
            files.push_back(argument);
        }
    }
    if (files.empty()) {
        std::cerr << kUsage;
        return 2;
    }
    Totals totals;
    for (const std::string& file : files) {
        run_file(file, list_skipped, totals);
    }
    std::cout << fmt::format("{} passed, {} failed, {} skipped\n", totals.passed, totals.failed,
                             totals.skipped);
    return totals.broken ? 2 : (totals.failed > 0 ? 1 : 0);
}

}  // namespace
}  // namespace kpid::promql::testing

int main(int argc, char** argv) {
    try {
        return kpid::promql::testing::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "promqltest: " << error.what() << "\n";
        return 2;
    }
}
