// Judges the files that are read when they are used.

#include "config/used_files.h"

#include "config/values.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

namespace kpid::config {
namespace {

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

/// Nothing when the file's text serves the use, else why not.
Result<void> check_content(FileUse use, const std::string& path, std::string_view text) {
    if (use == FileUse::kTls || use == FileUse::kText) {
        return {};
    }
    const std::string_view content = without_blanks(text);
    if (content.empty()) {
        return invalid_argument(fmt::format("{} is empty", path));
    }
    const Result<void> fits = use == FileUse::kUrl ? check_url(content) : check_secret(content);
    return fits ? fits : Result<void>(fits.error().with_context(path));
}

Severity severity_of(FileUse use, const Result<std::string>& text) {
    const bool is_absent = !text && (text.error().code == Code::kNotFound ||
                                     text.error().code == Code::kInvalidArgument);
    return use == FileUse::kTls && is_absent ? Severity::kError : Severity::kWarning;
}

}  // namespace

void check_used_files(const std::vector<UsedFile>& used, const FileReader& files,
                      ErrorList& errors) {
    std::map<std::string, Result<std::string>> texts;
    for (const UsedFile& file : used) {
        auto known = texts.find(file.path);
        if (known == texts.end()) {
            known = texts.emplace(file.path, files.read(file.path)).first;
        }
        const Result<std::string>& text = known->second;
        const Result<void> fits =
            text ? check_content(file.use, file.path, *text) : Result<void>(text.error());
        if (!fits) {
            errors.add({.file = file.named,
                        .line = file.position.line,
                        .column = file.position.column,
                        .severity = severity_of(file.use, text),
                        .id = "used-file",
                        .message = fmt::format("\"{}\": {}", file.key, fits.error().message)});
        }
    }
}

}  // namespace kpid::config
