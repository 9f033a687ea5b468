#pragma once
// The write side of storage: how samples get in, and who is told.

#include "kpid/base/result.h"
#include "kpid/model/metric_kind.h"
#include "kpid/model/sample.h"
#include "kpid/model/state_store.h"

#include <cstdint>
#include <optional>
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
    std::size_t index = 0;  ///< Of the sample in the batch: AppendBatch says how they count.
    RejectReason reason = RejectReason::kInvalidLabels;
    std::string message;  ///< For people: names the series and both values where that helps.
};

/// Who a batch comes from. What kpid recorded may use reserved names and never triggers.
enum class AppendOrigin { kExternal, kRecorded };

/// Reads label sets from an encoding that the store does not know. Thread-safe.
class LabelReader {
public:
    virtual ~LabelReader() = default;
    /// Replaces `labels` by what the bytes hold, sorted by name, each name once and not empty, no
    /// value empty. kInvalidArgument when that cannot be had; the message names no series.
    [[nodiscard]] virtual Result<void> read(std::string_view bytes,
                                            std::vector<LabelView>& labels) const = 0;
    /// Whether read() gives just these, which are sorted by name.
    [[nodiscard]] virtual bool reads_as(std::string_view bytes,
                                        std::span<const LabelView> labels) const;
};

/// Samples of one series that is named by bytes as a sender wrote them. Equal bytes are equal
/// labels, not the other way round: a store that has seen them need not read them again.
struct RawSeries {
    std::string_view label_bytes;
    std::span<const Sample> samples;
};

/// Where an appender has a series, for who appends to it again. Only the appender that filled it in
/// knows what it means; one of a series that is gone does no harm. A fresh one means nothing yet.
struct SeriesHandle {
    std::uint64_t id = 0;
    std::uint32_t place = 0;
    bool operator==(const SeriesHandle&) const = default;
};

/// What is stored together: accepted samples and state writes are durable at once or not at all.
/// Its samples count from 0: all of `samples`, then those of raw[0], of raw[1] and so on.
struct AppendBatch {
    std::span<const SeriesSample> samples = {};
    /// None, or one for each of `samples`: fresh, or as an append left it that had the same labels
    /// there. Spares looking the series up. Filled in, unless the append fails.
    std::span<SeriesHandle> handles = {};
    std::span<const RawSeries> raw = {};
    const LabelReader* label_reader = nullptr;  ///< Of `raw`; not null when there is some.
    std::span<const StateWrite> state = {};
    AppendOrigin origin = AppendOrigin::kExternal;
    Timestamp now;  ///< For the age checks, and the knowledge time of totals and events.
    /// What samples of metrics mean that no declaration tells (Appender::declare_kinds).
    MetricKind kind = MetricKind::kGauge;
    /// Instead of the store's own: how far a sample may lie behind the newest of its series.
    std::optional<Duration> out_of_order_window = {};
    /// One refused sample refuses the batch: nothing of it is stored and `accepted` is 0. Reserved
    /// names do not count as refused.
    bool all_or_nothing = false;
};

/// All samples of a batch as they count. Those of raw series that cannot be read have no labels.
[[nodiscard]] std::vector<SeriesSample> flatten(const AppendBatch& batch);

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
    /// What samples of these metrics mean from now on, whoever sends them; replaces what was
    /// declared before. What is stored stays as it is.
    virtual void declare_kinds(const MetricKinds& kinds) = 0;
};

/// Told after every append, on its thread, before append() returns. Must not block or append.
class AppendObserver {
public:
    virtual ~AppendObserver() = default;
    /// `batch` and `result` are borrowed for the call.
    virtual void on_append(const AppendBatch& batch, const AppendResult& result) noexcept = 0;
};

}  // namespace kpid::model
