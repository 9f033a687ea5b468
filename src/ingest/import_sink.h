#pragma once
// Back-fill: samples with times of their own, however old.

#include "ingest/metrics.h"
#include "kpid/base/clock.h"
#include "kpid/model/appender.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::ingest {

enum class ImportFormat {
    kOpenMetrics,  ///< Every sample with a time.
    kTsdbDump,     ///< What `promtool tsdb dump` prints.
};

/// What became of an import.
struct ImportOutcome {
    struct Refusal {
        std::size_t line = 0;
        std::string error;
        bool operator==(const Refusal&) const = default;
    };
    std::size_t accepted = 0;
    std::size_t reserved = 0;  ///< Left out: their names are kpid's own.
    std::size_t rejected_total = 0;
    std::vector<Refusal> rejected;  ///< The first ImportSink::kRefusalsMax, in order of line.
};

/// Decodes and stores what is imported. Thread-safe; blocks for the store: worker threads only.
class ImportSink {
public:
    /// Refusals that an outcome names.
    static constexpr std::size_t kRefusalsMax = 100;

    ImportSink(model::Appender& appender, const Clock& clock, Metrics& metrics);

    /// kInvalidArgument with the line, and nothing stored, for what cannot be read. Good samples
    /// are stored also where others are refused: what is older than the retention, clashes with a
    /// stored value, or has no time. How late a sample is plays no part. A repeated import adds
    /// nothing (but to events: two at one instant are two). `first_line` is the number of the
    /// body's first line.
    /// With `with_recorded` kpid's own names are taken too, as if kpid had recorded them: a backup
    /// comes back.
    [[nodiscard]] Result<ImportOutcome> import_samples(std::string_view body, ImportFormat format,
                                                       std::size_t first_line,
                                                       bool with_recorded = false);

private:
    struct Decoded;

    /// Appends the samples at these places, or all. Those with names of kpid's own are given back.
    [[nodiscard]] Result<std::vector<std::size_t>> append(const Decoded& decoded,
                                                          model::AppendOrigin origin,
                                                          std::span<const std::size_t> places,
                                                          ImportOutcome& outcome);

    model::Appender& appender_;
    const Clock& clock_;
    Metrics& metrics_;
};

}  // namespace kpid::ingest
