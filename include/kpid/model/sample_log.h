#pragma once
// The samples in the order in which they were stored, for who passes them on.

#include "kpid/base/result.h"
#include "kpid/model/appender.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kpid::model {

/// One stored sample.
struct LoggedSample {
    Labels labels;
    Sample sample;
    AppendOrigin origin = AppendOrigin::kExternal;
};

/// A piece of the log. Positions only grow, over restarts too.
struct LogPiece {
    std::vector<LoggedSample> samples;
    std::uint64_t next = 0;  ///< Where to read on; the same as asked when nothing is there yet.
    /// Records between the position asked for and the oldest that is kept, and those that are
    /// damaged: their samples are gone.
    std::uint64_t lost = 0;
};

/// Thread-safe; blocks for the disk: worker threads only.
class SampleLog {
public:
    virtual ~SampleLog() = default;
    /// Whole records from `position` on, about `samples_max` samples (a record has up to 65,536).
    [[nodiscard]] virtual Result<LogPiece> read_log(std::uint64_t position,
                                                    std::size_t samples_max) const = 0;
    /// Behind the newest record.
    [[nodiscard]] virtual std::uint64_t log_end() const = 0;
    /// What is at `position` and after is kept for this reader until it says a later one, as far as
    /// the store's limit on the log allows; not kept over a restart, but nothing is given up before
    /// the first maintain() after one. Forgets the reader when `position` is the maximum.
    virtual void hold_log(std::string_view reader, std::uint64_t position) = 0;
};

}  // namespace kpid::model
