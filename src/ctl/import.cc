// kpictl import.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/import_batches.h"
#include "ctl/report.h"
#include "ctl/text_file.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <cstdio>
#include <unistd.h>

namespace kpid::ctl {
namespace {

// Refusals that are told one by one of each file.
constexpr std::size_t kRefusalsTold = 100;

// What became of a file.
struct FileOutcome {
    std::size_t accepted = 0;
    std::size_t rejected = 0;
    std::size_t reserved = 0;
    std::size_t told = 0;
    std::string failure;  // Why the file was not read to its end; empty when it was.
    int exit_code = kExitFine;
};

std::size_t count_of(const wire::JsonValue& data, std::string_view name) {
    const auto member = data.member(name);
    return member && member->kind() == wire::JsonValue::Kind::kNumber
               ? static_cast<std::size_t>(member->number())
               : 0;
}

class FileImport {
public:
    FileImport(const std::string& file, const ImportOptions& options, const ApiClient& client)
        : file_(file), options_(options), client_(client) {}

    FileOutcome run() {
        const Result<void> done = read();
        if (!done) {
            outcome_.failure = done.error().message;
            outcome_.exit_code =
                done.error().code == Code::kUnprocessable ? kExitFinding : kExitUsage;
        } else if (outcome_.rejected > 0) {
            outcome_.exit_code = kExitFinding;
        }
        return outcome_;
    }

private:
    Result<void> read() {
        KPID_TRY(LineReader lines, LineReader::open(file_));
        std::optional<ImportBatches> batches;
        for (;;) {
            KPID_TRY(const std::optional<std::string_view> line, lines.next());
            if (!line) {
                break;
            }
            if (!batches) {
                batches.emplace(format_of(*line));
            }
            KPID_CHECK_OK(send(batches->add(*line)));
        }
        if (!batches) {
            return {};  // An empty file.
        }
        KPID_CHECK_OK(send(batches->finish()));
        if (!batches->is_whole()) {
            return Error{Code::kUnprocessable, "the file does not end with # EOF: it may be cut"};
        }
        return {};
    }

    ImportFormat format_of(std::string_view line) {
        format_ = options_.format == "tsdb-dump"     ? ImportFormat::kTsdbDump
                  : options_.format == "openmetrics" ? ImportFormat::kOpenMetrics
                                                     : guess_format(line);
        return format_;
    }

    Result<void> send(std::optional<ImportBatch> batch) {
        if (!batch) {
            return {};
        }
        const bool is_dump = format_ == ImportFormat::kTsdbDump;
        net::HttpParams params;
        params.add("line", std::to_string(batch->first_line));
        if (options_.with_recorded) {
            params.add("recorded", "true");
        }
        KPID_TRY(const ApiAnswer answer,
                 client_.post(
                     is_dump ? "/api/v1/import/tsdb-dump" : "/api/v1/import/openmetrics", params,
                     {.media_type = is_dump ? "text/plain" : "application/openmetrics-text",
                      .text = std::move(batch->body)}));
        const wire::JsonValue data = answer.data();
        outcome_.accepted += count_of(data, "accepted");
        outcome_.reserved += count_of(data, "reserved");
        outcome_.rejected += count_of(data, "rejectedTotal");
        if (const auto rejected = data.member("rejected")) {
            rejected->for_each(
                [&](std::string_view, const wire::JsonValue& refusal) { tell(refusal); });
        }
        if (isatty(STDERR_FILENO) != 0) {
            fmt::print(stderr, "\r{}: {} samples", file_, outcome_.accepted);
        }
        return {};
    }

    void tell(const wire::JsonValue& refusal) {
        if (outcome_.told == kRefusalsTold) {
            return;
        }
        ++outcome_.told;
        const auto error = refusal.member("error");
        fmt::print(stderr, "{}:{}: {}\n", file_, count_of(refusal, "line"),
                   error ? error->string() : "refused");
    }

    const std::string& file_;
    const ImportOptions& options_;
    const ApiClient& client_;
    ImportFormat format_ = ImportFormat::kOpenMetrics;
    FileOutcome outcome_;
};

void report_file(const std::string& file, const FileOutcome& outcome) {
    if (isatty(STDERR_FILENO) != 0) {
        fmt::print(stderr, "\n");
    }
    if (outcome.rejected > outcome.told) {
        fmt::print(stderr, "{}: and {} more refused\n", file, outcome.rejected - outcome.told);
    }
    if (!outcome.failure.empty()) {
        fmt::print(stderr, "kpictl: {}: {}\n", file, outcome.failure);
    }
}

}  // namespace

int run_import(const ImportOptions& options, const CommonOptions& common) {
    const ApiClient client(common.server);
    int exit_code = kExitFine;
    JsonWriter json;
    json.begin_array();
    for (const std::string& file : options.files) {
        const FileOutcome outcome = FileImport(file, options, client).run();
        report_file(file, outcome);
        exit_code = std::max(exit_code, outcome.exit_code);
        json.begin_object().key("file").string(file).key("accepted").number(outcome.accepted);
        json.key("rejected").number(outcome.rejected).key("reserved").number(outcome.reserved);
        json.key("error").string(outcome.failure).end_object();
        if (common.output == OutputFormat::kText) {
            fmt::print("{}: {} samples imported, {} refused", file, outcome.accepted,
                       outcome.rejected);
            if (outcome.reserved > 0) {
                fmt::print(", {} left out since their names are kpid's own", outcome.reserved);
            }
            fmt::print("\n");
        }
        if (outcome.exit_code == kExitUsage) {
            break;  // The server or the disk is gone: the next file would not fare better.
        }
    }
    json.end_array();
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", std::move(json).take());
    }
    return exit_code;
}

}  // namespace kpid::ctl
