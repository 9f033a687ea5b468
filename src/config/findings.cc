// Findings as text, collected and put in order.

#include "config/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace kpid::config {

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::kError:
            return "error";
        case Severity::kWarning:
            return "warning";
        case Severity::kInfo:
            return "info";
    }
    return "error";
}

std::string to_string(const Finding& finding) {
    std::string text = finding.file;
    if (finding.line > 0) {
        text += fmt::format(":{}:{}", finding.line, std::max(finding.column, 1));
    }
    text += fmt::format(": {}: {}", to_string(finding.severity), finding.message);
    if (!finding.hint.empty()) {
        text += fmt::format(" ({})", finding.hint);
    }
    return text;
}

void ErrorList::add(Finding finding) {
    errors_ += finding.severity == Severity::kError ? 1 : 0;
    if (findings_.size() >= kFindingsMax) {
        ++dropped_;
        return;
    }
    findings_.push_back(std::move(finding));
}

std::vector<Finding> ErrorList::take() && {
    std::map<std::string, std::size_t> file_order;
    for (const Finding& finding : findings_) {
        file_order.emplace(finding.file, file_order.size());
    }
    std::stable_sort(findings_.begin(), findings_.end(), [&](const Finding& a, const Finding& b) {
        return std::tuple(file_order.at(a.file), a.line, a.column) <
               std::tuple(file_order.at(b.file), b.line, b.column);
    });
    // A value that two aliases name is judged twice; it is said once.
    findings_.erase(std::unique(findings_.begin(), findings_.end()), findings_.end());
    if (dropped_ > 0) {
        findings_.push_back({.file = findings_.back().file,
                             .severity = errors_ > 0 ? Severity::kError : Severity::kWarning,
                             .id = "too-many",
                             .message = fmt::format("{} more findings are not shown", dropped_)});
    }
    return std::move(findings_);
}

}  // namespace kpid::config
