#pragma once
// Loads configurations from texts, and says findings as short lines.

#include "config/load.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kpid::config::testing {

inline constexpr const char* kMainFile = "kpid.yaml";

/// What the environment holds in tests: SINK, EMPTY.
inline LoadOptions test_options(const FileReader& files) {
    LoadOptions options;
    options.files = &files;
    options.environment = [](const std::string& name) -> std::optional<std::string> {
        if (name == "SINK") {
            return "http://127.0.0.1:5001/hook";
        }
        if (name == "EMPTY") {
            return "";
        }
        return std::nullopt;
    };
    return options;
}

inline LoadResult load_files(std::map<std::string, std::string> files) {
    const MapFileReader reader(std::move(files));
    return load_config(kMainFile, test_options(reader));
}

inline LoadResult load_text(std::string text) {
    return load_files({{kMainFile, std::move(text)}});
}

/// `file:line:col: severity: message (hint)`, one a finding.
inline std::vector<std::string> lines(const std::vector<Finding>& findings) {
    std::vector<std::string> texts;
    for (const Finding& finding : findings) {
        texts.push_back(to_string(finding));
    }
    return texts;
}

/// A KPI with everything it must have; `more` are further lines, indented by four.
inline std::string kpi_text(const std::string& more, const std::string& better = "higher") {
    return "owners: {ops: {title: Operations}}\n"
           "kpis:\n"
           "  free:\n"
           "    title: Free space\n"
           "    owner: ops\n"
           "    unit: percent\n"
           "    better: " +
           better + "\n" + more;
}

}  // namespace kpid::config::testing
