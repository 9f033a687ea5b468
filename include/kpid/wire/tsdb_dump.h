#pragma once
// Reads what `promtool tsdb dump` prints: one sample a line, series by series.

#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace kpid::wire {

struct TsdbDumpLimits {
    static constexpr std::size_t kLineBytesMax = 1024 * 1024;
    static constexpr std::size_t kLabelsMax = 512;
};

/// One line of a dump.
struct TsdbDumpSample {
    model::Labels labels;  ///< With a metric name. Shared by neighbours of one series.
    Timestamp time;
    double value = 0;      ///< NaN is model::kNormalNanBits: a dump does not tell stale markers.
    std::size_t line = 0;  ///< From 1.
};

/// Reads a whole dump, lines like
///
///     {__name__="up", job="node"} 1 1782864000000
///
/// with times in milliseconds; empty lines are passed over, the last newline may be missing.
/// kInvalidArgument with the line for anything else, native histograms too. Pure.
[[nodiscard]] Result<std::vector<TsdbDumpSample>> parse_tsdb_dump(std::string_view text);

}  // namespace kpid::wire
