#pragma once
// What a source that is not a scrape target brings.

#include "ingest/source_notes.h"
#include "kpid/base/result.h"
#include "kpid/model/sample.h"
#include "net/task.h"

#include <optional>
#include <string>
#include <vector>

namespace kpid::ingest {

/// One round. Samples whose time is the round's own get a stale marker when their series ends;
/// those with a time of their own do not.
struct Collected {
    std::vector<model::SeriesSample> samples;  ///< Without `job` and the source's labels.
    /// Figures with times of their own, as every answer repeats them: totals unless declared
    /// otherwise. In order of the answer, labels likewise.
    std::vector<model::SeriesSample> rows;
    std::size_t malformed = 0;   ///< Items that could not be read.
    std::optional<Error> error;  ///< The source counts as down; samples are kept.
};

/// Gets one kind of source. One call at a time.
class Collector {
public:
    virtual ~Collector() = default;
    /// Everything there is at `at`. An error: nothing at all. Runs on the poller's strand; blocks
    /// only on workers.
    [[nodiscard]] virtual net::Task<Result<Collected>> collect(Timestamp at) = 0;
    /// As of PollTask.
    [[nodiscard]] virtual net::Task<> run_beside() { co_return; }
    [[nodiscard]] virtual SourceNotes notes() const { return {}; }
};

}  // namespace kpid::ingest
