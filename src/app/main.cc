// kpid's main: flags, configuration, daemon.
#include "app/daemon.h"
#include "app/flags.h"
#include "config/load.h"
#include "kpid/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace {

using kpid::config::Finding;
using kpid::config::LoadResult;
using kpid::config::Severity;

constexpr int kExitFine = 0;
constexpr int kExitFinding = 1;
constexpr int kExitUsage = 2;

// A file that cannot be read at all is no finding about what stands in it.
int exit_code_of(const std::vector<Finding>& findings) {
    return std::any_of(findings.begin(), findings.end(), kpid::config::is_unreadable_file)
               ? kExitUsage
               : kExitFinding;
}

void print_findings(const std::vector<Finding>& findings, std::FILE* to) {
    for (const Finding& finding : findings) {
        fmt::print(to, "{}\n", kpid::config::to_string(finding));
    }
}

int run_daemon(const kpid::app::Flags& flags, const LoadResult& loaded,
               const kpid::SystemClock& clock) {
    const kpid::Logger log(kpid::make_stderr_log_sink(), clock, flags.log_level, flags.log_format);
    log.info("kpid starts", {{"version", std::string(kpid::kVersion)},
                             {"revision", std::string(kpid::kRevision)},
                             {"config", flags.config_file}});
    for (const Finding& finding : loaded.findings) {
        log.warn("configuration", {{"finding", kpid::config::to_string(finding)}});
    }
    auto daemon = kpid::app::Daemon::make(flags, loaded.config, clock, log);
    if (!daemon) {
        log.error("kpid cannot start", {{"error", daemon.error().message}});
        return kExitUsage;
    }
    const kpid::Result<void> ended = (*daemon)->run();
    if (!ended) {
        log.error("kpid ended", {{"error", ended.error().message}});
        return kExitUsage;
    }
    return kExitFine;
}

}  // namespace

int main(int argc, char** argv) {
    // A peer that goes away is an error of that write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    const kpid::app::ParsedFlags parsed = kpid::app::parse_flags(argc, argv);
    if (parsed.exit_code) {
        fmt::print(*parsed.exit_code == 0 ? stdout : stderr, "{}", parsed.text);
        return *parsed.exit_code;
    }
    const kpid::SystemClock clock;
    const LoadResult loaded =
        kpid::config::load_config(parsed.flags.config_file, kpid::app::load_options(parsed.flags));
    if (parsed.flags.check_config) {
        print_findings(loaded.findings, stdout);
        return loaded.ok() ? kExitFine : exit_code_of(loaded.findings);
    }
    if (!loaded.ok()) {
        print_findings(loaded.findings, stderr);
        return exit_code_of(loaded.findings);
    }
    return run_daemon(parsed.flags, loaded, clock);
}
