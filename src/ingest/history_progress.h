#pragma once
// How far the past of one query has been asked for, as it is kept over restarts.

#include "ingest/covered_spans.h"
#include "kpid/base/time.h"

#include <optional>
#include <string>
#include <string_view>

namespace kpid::ingest {

/// The value of the key "ingest/promql/<source>/<metric>":
/// `{"of": "…", "since": ms, "done": [[ms, ms], …]}`.
struct HistoryProgress {
    std::string of;     ///< What was asked; what was done for another question counts for nothing.
    Timestamp since;    ///< When it was asked for the first time.
    CoveredSpans done;  ///< Periods that were answered; stretches that were filled.
    bool operator==(const HistoryProgress&) const = default;
};

[[nodiscard]] std::string encode_progress(const HistoryProgress& progress);
/// Nothing when it cannot be read.
[[nodiscard]] std::optional<HistoryProgress> decode_progress(std::string_view text);

}  // namespace kpid::ingest
