// Imports: decode, append with a window that takes everything, answer by line.
#include "ingest/import_sink.h"

#include "kpid/wire/exposition.h"
#include "kpid/wire/tsdb_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace kpid::ingest {
namespace {

// Longer than any retention: that alone says what is too old.
constexpr Duration kWindow = std::chrono::hours(24 * 36'500);
constexpr std::string_view kLine = "line ";

// "line 3: …" with the number that the line has for the sender.
Error with_line(const Error& error, std::size_t first_line) {
    const std::string_view text = error.message;
    std::size_t line = 0;
    if (!text.starts_with(kLine)) {
        return error;
    }
    const auto [end, failure] =
        std::from_chars(text.data() + kLine.size(), text.data() + text.size(), line);
    if (failure != std::errc()) {
        return error;
    }
    return Error{error.code, fmt::format("{}{}{}", kLine, line + first_line - 1,
                                         text.substr(static_cast<std::size_t>(end - text.data())))};
}

}  // namespace

struct ImportSink::Decoded {
    std::vector<model::SeriesSample> samples;
    std::vector<std::size_t> lines;  ///< lines[i] is where samples[i] stood, from 1.
    std::vector<ImportOutcome::Refusal> refusals;

    static Result<Decoded> of_openmetrics(std::string_view body) {
        KPID_TRY(wire::ParsedExposition parsed,
                 wire::parse_exposition(body, {.format = wire::ExpositionFormat::kOpenMetrics}));
        Decoded decoded;
        for (wire::ParsedSample& sample : parsed.samples) {
            if (sample.is_created) {
                continue;
            }
            if (!sample.time) {
                decoded.refusals.push_back({sample.line, "the sample has no time"});
                continue;
            }
            decoded.samples.push_back({std::move(sample.labels), *sample.time, sample.value});
            decoded.lines.push_back(sample.line);
        }
        return decoded;
    }

    static Result<Decoded> of_dump(std::string_view body) {
        KPID_TRY(std::vector<wire::TsdbDumpSample> parsed, wire::parse_tsdb_dump(body));
        Decoded decoded;
        for (wire::TsdbDumpSample& sample : parsed) {
            decoded.samples.push_back({std::move(sample.labels), sample.time, sample.value});
            decoded.lines.push_back(sample.line);
        }
        return decoded;
    }
};

ImportSink::ImportSink(model::Appender& appender, const Clock& clock, Metrics& metrics)
    : appender_(appender), clock_(clock), metrics_(metrics) {
}

Result<std::vector<std::size_t>> ImportSink::append(const Decoded& decoded,
                                                    model::AppendOrigin origin,
                                                    std::span<const std::size_t> places,
                                                    ImportOutcome& outcome) {
    std::vector<model::SeriesSample> chosen;
    chosen.reserve(places.size());
    for (const std::size_t place : places) {
        chosen.push_back(decoded.samples[place]);
    }
    const std::span<const model::SeriesSample> samples = places.empty() ? decoded.samples : chosen;
    if (samples.empty()) {
        return std::vector<std::size_t>();
    }
    const Result<model::AppendResult> stored = appender_.append({.samples = samples,
                                                                 .origin = origin,
                                                                 .now = clock_.wall_now(),
                                                                 .out_of_order_window = kWindow});
    if (!stored) {
        metrics_.store_failures.Increment();
        return stored.error();
    }
    metrics_.of(Protocol::kImport).count(*stored);
    outcome.accepted += stored->accepted;
    std::vector<std::size_t> reserved;
    for (const model::Rejection& rejection : stored->rejected) {
        const std::size_t place = places.empty() ? rejection.index : places[rejection.index];
        if (rejection.reason == model::RejectReason::kReserved) {
            reserved.push_back(place);
        } else {
            outcome.rejected.push_back({decoded.lines[place], rejection.message});
        }
    }
    return reserved;
}

Result<ImportOutcome> ImportSink::import_samples(std::string_view body, ImportFormat format,
                                                 std::size_t first_line, bool with_recorded) {
    ProtocolCounters& counters = metrics_.of(Protocol::kImport);
    Result<Decoded> decoded = format == ImportFormat::kOpenMetrics ? Decoded::of_openmetrics(body)
                                                                   : Decoded::of_dump(body);
    if (!decoded) {
        counters.count_malformed(1);
        return with_line(decoded.error(), first_line);
    }
    counters.count_malformed(decoded->refusals.size());
    ImportOutcome outcome{.rejected = std::move(decoded->refusals)};
    KPID_TRY(std::vector<std::size_t> reserved,
             append(*decoded, model::AppendOrigin::kExternal, {}, outcome));
    if (with_recorded && !reserved.empty()) {
        KPID_TRY(reserved, append(*decoded, model::AppendOrigin::kRecorded, reserved, outcome));
    }
    outcome.reserved = reserved.size();
    outcome.rejected_total = outcome.rejected.size();
    std::stable_sort(outcome.rejected.begin(), outcome.rejected.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    outcome.rejected.resize(std::min(outcome.rejected.size(), kRefusalsMax));
    for (ImportOutcome::Refusal& refusal : outcome.rejected) {
        refusal.line += first_line - 1;
    }
    return outcome;
}

}  // namespace kpid::ingest
