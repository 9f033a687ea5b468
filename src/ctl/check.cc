// kpictl check.
#include "config/load.h"
#include "ctl/commands.h"
#include "ctl/report.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace kpid::ctl {
namespace {

std::string findings_json(const std::vector<config::Finding>& findings) {
    JsonWriter json;
    json.begin_array();
    for (const config::Finding& finding : findings) {
        json.begin_object().key("file").string(finding.file).key("line").number(finding.line);
        json.key("column").number(finding.column);
        json.key("severity").string(config::to_string(finding.severity));
        json.key("id").string(finding.id).key("message").string(finding.message);
        json.key("hint").string_or_null(finding.hint).end_object();
    }
    json.end_array();
    return std::move(json).take();
}

}  // namespace

int run_check(const CheckOptions& options, const CommonOptions& common) {
    if (const Result<void> known = config::check_features(options.features); !known) {
        fmt::print(stderr, "--enable-feature: {}\n", known.error().message);
        return kExitUsage;
    }
    std::vector<config::Finding> findings;
    for (const std::string& file : options.files) {
        std::vector<config::Finding> found = config::check_file(
            file, {.environment = config::process_environment, .features = options.features});
        std::move(found.begin(), found.end(), std::back_inserter(findings));
    }
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", findings_json(findings));
    } else {
        for (const config::Finding& finding : findings) {
            fmt::print("{}\n", config::to_string(finding));
        }
    }
    if (std::any_of(findings.begin(), findings.end(), config::is_unreadable_file)) {
        return kExitUsage;
    }
    const bool bad =
        std::any_of(findings.begin(), findings.end(), [&](const config::Finding& finding) {
            return finding.severity == config::Severity::kError ||
                   (options.strict && finding.severity == config::Severity::kWarning);
        });
    return bad ? kExitFinding : kExitFine;
}

}  // namespace kpid::ctl
