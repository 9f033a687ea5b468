#pragma once
// The write side of storage: how samples get in, and who is told.

#include "kpid/base/result.h"
#include "kpid/model/sample.h"
#include "kpid/model/state_store.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::model {

/// Why one sample of a batch was refused.
enum class RejectReason {
    kOutOfOrder,          ///< Older than its series' newest by more than the out-of-order window.
    kDuplicateTimestamp,  ///< The series has another value at this instant.
    kTooOld,              ///< Older than the retention.
    kTooFarInFuture,      ///< Further ahead than the future tolerance.
    kInvalidLabels,  ///< No metric name, a bad name, invalid UTF-8, or a label limit is broken.
    kReserved,       ///< The name is kpid's own (`kpid_…`, `ALERTS`); no error to senders.
    kLimit,          ///< A limit of the store (number of series) is reached.
};
/// As the label `reason` of kpid_ingest_rejected_total: "out_of_order", …
[[nodiscard]] std::string_view to_string(RejectReason reason);

struct Rejection {
    std::size_t index = 0;  ///< Into AppendBatch::samples.
    RejectReason reason = RejectReason::kInvalidLabels;
    std::string message;  ///< For people: names the series and both values where that helps.
};

/// Who a batch comes from. What kpid recorded may use reserved names and never triggers.
enum class AppendOrigin { kExternal, kRecorded };

/// What is stored together: accepted samples and state writes are durable at once or not at all.
struct AppendBatch {
    std::span<const SeriesSample> samples;
    std::span<const StateWrite> state = {};
    AppendOrigin origin = AppendOrigin::kExternal;
    Timestamp now;  ///< For the age checks.
    /// One refused sample refuses the batch: nothing of it is stored and `accepted` is 0. Reserved
    /// names do not count as refused.
    bool all_or_nothing = false;
};

struct AppendResult {
    std::size_t accepted = 0;
    std::vector<Rejection> rejected;  ///< In order of index.
};

/// Takes samples. Thread-safe.
class Appender {
public:
    virtual ~Appender() = default;
    /// Blocks until the batch is durable (to the set degree) and readable; may wait for a group
    /// commit: never call it on an I/O thread. A sample that repeats a stored instant and value
    /// (bitwise) is accepted. An Error: nothing was stored; kUnavailable or kResourceExhausted.
    [[nodiscard]] virtual Result<AppendResult> append(const AppendBatch& batch) = 0;
};

/// Told after every append, on its thread, before append() returns. Must not block or append.
class AppendObserver {
public:
    virtual ~AppendObserver() = default;
    /// `batch` and `result` are borrowed for the call.
    virtual void on_append(const AppendBatch& batch, const AppendResult& result) noexcept = 0;
};

}  // namespace kpid::model
