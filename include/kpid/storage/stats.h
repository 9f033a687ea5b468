#pragma once
// What a storage says about itself, for kpid's own metrics.

#include "kpid/model/appender.h"
#include "kpid/storage/log.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace kpid::storage {

/// Every RejectReason, in order of its value.
inline constexpr std::array kRejectReasons{
    model::RejectReason::kOutOfOrder,    model::RejectReason::kDuplicateTimestamp,
    model::RejectReason::kTooOld,        model::RejectReason::kTooFarInFuture,
    model::RejectReason::kInvalidLabels, model::RejectReason::kReserved,
    model::RejectReason::kLimit,
};

/// One reading of the counters. `_total` only grow, from 0 at open.
struct StorageStats {
    /// Known now, those without samples too.
    std::uint64_t series = 0;
    std::uint64_t series_max = 0;  ///< The limit on them.
    std::uint64_t series_created_total = 0;
    std::uint64_t series_removed_total = 0;
    std::uint64_t samples_in_memory = 0;
    /// Of samples, of sealed chunks among them, and of label sets, estimated.
    std::uint64_t sample_bytes_in_memory = 0;
    std::uint64_t sealed_bytes_in_memory = 0;
    std::uint64_t index_bytes_in_memory = 0;
    [[nodiscard]] std::uint64_t bytes_in_memory() const {
        return sample_bytes_in_memory + index_bytes_in_memory;
    }
    /// Before it nothing is kept for want of room; min() when there always was some.
    Timestamp size_floor = Timestamp::min();
    Timestamp newest_sample = Timestamp::min();
    /// Keys of the state store.
    std::uint64_t state_entries = 0;
    /// Newly stored; repetitions not counted.
    std::uint64_t samples_appended_total = 0;
    /// Accepted silently: stored already with this value.
    std::uint64_t samples_repeated_total = 0;
    /// Values of totals that took the place of others.
    std::uint64_t samples_replaced_total = 0;
    /// Samples that came after newer ones of their series.
    std::uint64_t samples_late_total = 0;
    std::uint64_t events_appended_total = 0;
    std::uint64_t series_deleted_total = 0;
    /// Entry i counts the RejectReason of value i.
    std::array<std::uint64_t, kRejectReasons.size()> rejected_total{};
    /// Groups written, and the time that their judging and writing took (StorageOptions::clock).
    std::uint64_t commits_total = 0;
    double commit_seconds_total = 0;
    /// Keys and values written.
    std::uint64_t log_bytes_total = 0;
    /// Groups that the log refused.
    std::uint64_t write_failures_total = 0;
    /// Appends and state writes refused because the queue was full.
    std::uint64_t queue_refusals_total = 0;
    /// Appends, state writes and their samples that wait now, and the limits on them.
    std::uint64_t queued_batches = 0;
    std::uint64_t queued_samples = 0;
    std::uint64_t queue_batches_max = 0;
    std::uint64_t queue_samples_max = 0;
    /// Of the newest sample record that was written.
    std::uint64_t log_sequence = 0;
    /// Records that a start would read again.
    std::uint64_t unsaved_records = 0;
    std::uint64_t checkpoints_total = 0;
    std::uint64_t chunks_saved_total = 0;
    /// Damaged entries that readers met / that were set aside.
    std::uint64_t read_failures_total = 0;
    std::uint64_t quarantined_total = 0;
    LogStats log;

    [[nodiscard]] std::uint64_t rejected(model::RejectReason reason) const {
        return rejected_total[static_cast<std::size_t>(reason)];
    }
};

}  // namespace kpid::storage
