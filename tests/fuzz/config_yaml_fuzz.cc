// Any bytes as a configuration: findings or a configuration, never a crash; every finding has a
// message, and places lie inside the file.

#include "config/load.h"
#include "kpid/base/assert.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace {

constexpr std::size_t kInputBytesMax = 64 * 1024;

void check_findings(const std::vector<kpid::config::Finding>& findings, const std::string& text) {
    const auto line_count = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
    for (const kpid::config::Finding& finding : findings) {
        KPID_ASSERT(!finding.message.empty());
        KPID_ASSERT(finding.line >= 0);
        KPID_ASSERT(finding.line <= line_count);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > kInputBytesMax) {
        return 0;
    }
    const std::string text(data, data + size);
    const kpid::config::MapFileReader files({{"kpid.yaml", text}});
    kpid::config::LoadOptions options;
    options.files = &files;
    options.environment = [](const std::string& name) -> std::optional<std::string> {
        return name.size() % 2 == 0 ? std::optional<std::string>(name) : std::nullopt;
    };
    const auto result = kpid::config::load_config("kpid.yaml", options);
    check_findings(result.findings, text);
    const auto has_error = std::any_of(
        result.findings.begin(), result.findings.end(), [](const kpid::config::Finding& finding) {
            return finding.severity == kpid::config::Severity::kError;
        });
    KPID_ASSERT(has_error != result.ok());
    check_findings(kpid::config::check_file("kpid.yaml", options), text);
    return 0;
}
