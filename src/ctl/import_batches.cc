// Batches of an import.
#include "ctl/import_batches.h"

#include <utility>

namespace kpid::ctl {
namespace {

constexpr std::string_view kEnd = "# EOF";
constexpr std::string_view kType = "# TYPE ";

}  // namespace

ImportFormat guess_format(std::string_view first_line) {
    // In OpenMetrics a quoted metric name follows the brace, and a comma or brace follows that.
    const bool has_label = first_line.starts_with('{') && !first_line.starts_with("{}") &&
                           (!first_line.starts_with("{\"") ||
                            first_line.substr(first_line.find('"', 2) + 1).starts_with('='));
    return has_label ? ImportFormat::kTsdbDump : ImportFormat::kOpenMetrics;
}

void ImportBatches::begin() {
    batch_ = ImportBatch{.first_line = line_};
    if (!type_.empty()) {
        batch_.body = type_ + "\n";
        --batch_.first_line;
    }
}

std::optional<ImportBatch> ImportBatches::add(std::string_view line) {
    ++line_;
    if (format_ == ImportFormat::kOpenMetrics) {
        if (line == kEnd) {
            std::optional<ImportBatch> last = finish();
            ended_ = true;
            return last;
        }
        if (line.empty() && (ended_ || batch_.lines == 0)) {
            return finish();  // Between texts that were put together, or at the end.
        }
        ended_ = false;
    }
    if (batch_.lines == 0) {
        begin();
    }
    if (line.starts_with(kType)) {
        type_ = line;
    }
    batch_.body += line;
    batch_.body += '\n';
    ++batch_.lines;
    if (batch_.lines >= lines_max_ || batch_.body.size() >= bytes_max_) {
        return finish();
    }
    return std::nullopt;
}

std::optional<ImportBatch> ImportBatches::finish() {
    if (batch_.lines == 0) {
        return std::nullopt;
    }
    if (format_ == ImportFormat::kOpenMetrics) {
        batch_.body += kEnd;
        batch_.body += '\n';
    }
    return std::exchange(batch_, ImportBatch());
}

}  // namespace kpid::ctl
