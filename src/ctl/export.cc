// kpictl export.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/report.h"
#include "ctl/text_file.h"

#include <fmt/format.h>

#include <cstdio>

namespace kpid::ctl {
namespace {

constexpr const char* kEverything = "{__name__!=\"\"}";

// Counts lines that are samples; pieces may end within one.
class SampleCount {
public:
    void add(std::string_view piece) {
        for (const char c : piece) {
            if (at_line_start_ && c != '#') {
                ++samples_;
            }
            at_line_start_ = c == '\n';
        }
    }
    [[nodiscard]] std::size_t samples() const { return samples_; }

private:
    bool at_line_start_ = true;
    std::size_t samples_ = 0;
};

}  // namespace

int run_export(const ExportOptions& options, const CommonOptions& common) {
    net::HttpParams params;
    for (const std::string& match : options.matches) {
        params.add("match[]", match);
    }
    if (options.matches.empty()) {
        params.add("match[]", kEverything);
    }
    if (!options.start.empty()) {
        params.add("start", options.start);
    }
    if (!options.end.empty()) {
        params.add("end", options.end);
    }
    Result<TextWriter> writer = TextWriter::create(options.file);
    if (!writer) {
        return report_error(writer.error());
    }
    SampleCount count;
    const Result<void> done =
        ApiClient(common.server).download("/api/v1/export", params, [&](std::string_view piece) {
            count.add(piece);
            return writer->write(piece);
        });
    if (!done) {
        return report_error(done.error());
    }
    if (const Result<void> finished = writer->finish(); !finished) {
        return report_error(finished.error());
    }
    // What goes to standard output is the data alone.
    fmt::print(stderr, "{} samples exported\n", count.samples());
    return kExitFine;
}

}  // namespace kpid::ctl
